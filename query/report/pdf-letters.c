#include "query/report/pdf-letters.h"

#include <stdio.h>
#include <stdlib.h>

#define PATH_BYTES  4096
#define SOFT_HYPHEN 0xad

static const char *const encodings[PDF_ENCODINGS] = {"WinAnsiEncoding", "CP1250", "CP1251",
						     "CP1253",          "CP1254", "CP1257"};

static const char *const files[PDF_FONT_COUNT] = {
	[PDF_SANS] = "LiberationSans-Regular.ttf",
	[PDF_BOLD] = "LiberationSans-Bold.ttf",
	[PDF_MONO] = "LiberationMono-Regular.ttf",
};

struct fonts { /* where they come from */
	HPDF_Doc doc;
	const char *folder;
};

static int load_face(struct pdf_letters *all, const struct fonts *fonts, enum pdf_font which,
		     struct error *err)
{
	HPDF_Doc doc = fonts->doc;
	char path[PATH_BYTES];
	int len = snprintf(path, sizeof(path), "%s/%s", fonts->folder, files[which]);
	if (len < 0 || (size_t)len >= sizeof(path)) {
		return error_set(err, ERR_CONFIG, "the folder of the fonts has too long a name");
	}
	const char *name = HPDF_LoadTTFontFromFile(doc, path, HPDF_TRUE);
	for (size_t i = 0; i < PDF_ENCODINGS; i++) {
		all->font[which][i] = name != NULL ? HPDF_GetFont(doc, name, encodings[i]) : NULL;
		if (all->font[which][i] == NULL) {
			return error_set(
				err, ERR_CONFIG,
				"the font %s cannot be read (Debian package fonts-liberation2)",
				path);
		}
	}
	return 0;
}

static int compare_letters(const void *a, const void *b)
{
	const struct pdf_letter *left = a;
	const struct pdf_letter *right = b;
	int by_cp = (left->cp > right->cp) - (left->cp < right->cp);
	return by_cp != 0 ? by_cp
			  : (left->encoding > right->encoding) - (left->encoding < right->encoding);
}

/* Sets the widths of a letter; false when it cannot be shown. */
static bool measure(struct pdf_letters *all, struct pdf_letter *letter)
{
	bool is_control = letter->cp < ' ' || (letter->cp >= 0x7f && letter->cp <= 0xa0);
	if (is_control || letter->cp == SOFT_HYPHEN) {
		return false;
	}
	for (size_t i = 0; i < PDF_FONT_COUNT; i++) {
		HPDF_INT width =
			HPDF_Font_GetUnicodeWidth(all->font[i][letter->encoding], letter->cp);
		if (width <= 0) {
			return false;
		}
		letter->width[i] = (uint16_t)width;
	}
	return true;
}

/* Which characters there are: those of the encodings; the first encoding that has one wins. */
static void list_letters(struct pdf_letters *all, HPDF_Doc doc)
{
	size_t count = 0;
	for (size_t i = 0; i < PDF_ENCODINGS; i++) {
		HPDF_Encoder encoder = HPDF_GetEncoder(doc, encodings[i]);
		for (unsigned code = ' '; code < PDF_CODES && encoder != NULL; code++) {
			uint16_t cp = HPDF_Encoder_GetUnicode(encoder, (HPDF_UINT16)code);
			all->letters[count] = (struct pdf_letter){
				.cp = cp, .byte = (uint8_t)code, .encoding = (uint8_t)i};
			count += measure(all, &all->letters[count]) ? 1 : 0;
		}
	}
	qsort(all->letters, count, sizeof(all->letters[0]), compare_letters);
	for (size_t i = 0; i < count; i++) {
		if (all->letter_count == 0 ||
		    all->letters[all->letter_count - 1].cp != all->letters[i].cp) {
			all->letters[all->letter_count++] = all->letters[i];
		}
	}
	for (size_t i = 0; i < all->letter_count && all->letters[i].cp < 128; i++) {
		for (size_t k = 0; k < PDF_FONT_COUNT; k++) {
			all->ascii_width[k][all->letters[i].cp] = all->letters[i].width[k];
		}
	}
}

const struct pdf_letter *pdf_letters_find(const struct pdf_letters *all, uint32_t cp)
{
	size_t low = 0;
	size_t high = all->letter_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (all->letters[middle].cp < cp) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < all->letter_count && all->letters[low].cp == cp ? &all->letters[low] : NULL;
}

unsigned pdf_letters_width(const struct pdf_letters *all, enum pdf_font font, uint32_t cp)
{
	if (cp < 128) {
		return all->ascii_width[font][cp];
	}
	const struct pdf_letter *letter = pdf_letters_find(all, cp);
	return letter != NULL ? letter->width[font] : 0;
}

HPDF_Encoder pdf_letters_encoder(HPDF_Doc doc)
{
	return HPDF_GetEncoder(doc, encodings[0]);
}

int pdf_letters_load(struct pdf_letters *all, HPDF_Doc doc, const char *folder, struct error *err)
{
	const struct fonts fonts = {.doc = doc, .folder = folder};
	for (int i = 0; i < PDF_FONT_COUNT; i++) {
		int rc = load_face(all, &fonts, (enum pdf_font)i, err);
		if (rc < 0) {
			return rc;
		}
	}
	list_letters(all, doc);
	return 0;
}
