/* scene - a world, its two servers, and a folder with everything that querytrail needs to collect from them.
 *
 * Shape:   the folder holds truth.jsonl, access.log, audit.jsonl, identity.yaml, signing.key, password, ca.pem, aws-credentials and
 *          querytrail.yaml, which points at the ports and at store and run below the folder.
 * Life:    scene_open makes all of it, scene_close stops the servers; the folder stays.
 * Threads: one. Tests: tests/integration/cloudwatch-aws.sh
 */
#ifndef TESTS_SIM_SCENE_H
#define TESTS_SIM_SCENE_H

#include "tests/sim/cloudwatch.h"
#include "tests/sim/tds.h"
#include "tests/sim/world.h"

#define SCENE_SQL_FAULTS_MAX 16

struct scene_options {
	struct world_options world;
	const char *dir;                      /* NULL: no files */
	struct cloudwatch_options cloudwatch; /* world and secret_text are set by scene_open */
	struct tds_server_options sql;        /* world and ca_path are set by scene_open */
	const char *faults_path;              /* a script for cloudwatch_fault; NULL: none */
	const char *sql_faults[SCENE_SQL_FAULTS_MAX];
	size_t sql_fault_count;
};

struct scene {
	struct world *world;
	struct cloudwatch *cloudwatch;
	struct tds_server *sql;
	uint16_t cloudwatch_port, sql_port;
};

/* Opens the scene. Returns 0, or the error of the part that failed, with nothing left running. */
int scene_open(const struct scene_options *options, struct scene *out_scene, struct error *err);

/* Does what a line says: "sql WORDS" is a fault of the SQL Server (tests/sim/tds.h), "cloudwatch JSON" a script for
 * cloudwatch_fault. Returns 0, or ERR_INPUT for any other line, or the error of the server that did not take it. */
int scene_command(struct scene *scene, struct str line, struct error *err);

/* Stops the servers and frees the world. */
void scene_close(struct scene *scene);

#endif
