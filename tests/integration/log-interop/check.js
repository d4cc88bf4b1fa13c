// Checks the proofs of leaves that proofs.c writes with @sigstore/verify. usage: node check.js FOLDER
"use strict";
const fs = require("fs");
const path = require("path");
const { verifyMerkleInclusion } = require(path.join(__dirname, "node_modules/@sigstore/verify/dist/tlog/merkle.js"));

let accepted = 0, refused = 0, wrong = 0;
for (const line of fs.readFileSync(process.argv[2] + "/proofs", "utf8").split("\n")) {
  const [what, kind, index, size, entry, root, hashes] = line.split(" ");
  if (what !== "leaf") {
    continue;
  }
  const bytes = (text) => Buffer.from(text === "-" ? "" : text, "hex");
  let holds = true;
  try {
    verifyMerkleInclusion(
      { canonicalizedBody: bytes(entry), inclusionProof: { logIndex: index, hashes: hashes === "-" ? [] : hashes.split(",").map(bytes) } },
      { logSize: BigInt(size), logHash: bytes(root) });
  } catch (error) {
    if (error.code !== "TLOG_INCLUSION_PROOF_ERROR") {
      throw error;
    }
    holds = false;
  }
  if (holds !== (kind === "good")) {
    wrong++;
    console.log("# wrong: " + line);
  } else if (holds) {
    accepted++;
  } else {
    refused++;
  }
}
console.log(accepted, refused, wrong);
