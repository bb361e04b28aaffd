/* json.h: reading JSON that nobody vouches for: front to back, in place, without allocating and
 * without recursion of its own. Each function skips blanks and takes what it is named after, or
 * fails with DEER_EDATA and "byte 7: expected ...".
 *
 * Jansson, which writes JSON here, does not fit: when an allocation fails in its reader it drops
 * characters and then runs past the end of the text. */
#ifndef DEER_IO_JSON_H
#define DEER_IO_JSON_H

#include "base/base.h"

/* The text ends with a zero byte and is overwritten: strings are decoded where they stand. */
typedef struct deer_json {
  char *text, *at;
} deer_json;

/* A string, with its escapes resolved; it belongs to the text. It must be UTF-8 without zero
 * characters. */
deer_status deer_json_string(deer_json *json, char **string);

/* Reads the value that `key` names. */
typedef deer_status deer_json_member(deer_json *json, char *key, void *context);

/* An object: `member` is called for each key in turn, and what it fails with ends the reading. The
 * same key may come twice. */
deer_status deer_json_object(deer_json *json, deer_json_member *member, void *context);

/* A list of `n` whole numbers from 0, where *n is at most `most`. */
deer_status deer_json_numbers(deer_json *json, uint64_t *numbers, size_t most, size_t *n);

/* What comes next: '{', '[' or '"', '0' for a number, 't', 'f' or 'n' for a word, else 0. */
char deer_json_next(deer_json *json);

/* A number; `whole` when it is written without a point and an exponent. It must be finite. */
deer_status deer_json_number(deer_json *json, double *number, bool *whole);

/* The word "true", "false" or "null". */
deer_status deer_json_word(deer_json *json, const char *word);

/* Reads an element of a list. */
typedef deer_status deer_json_element(deer_json *json, void *context);

/* A list: `element` is called for each in turn, and what it fails with ends the reading. */
deer_status deer_json_list(deer_json *json, deer_json_element *element, void *context);

/* Nothing but blanks up to the end of the text, which is `size` bytes long. */
deer_status deer_json_end(deer_json *json, size_t size);

/* Bytes of the UTF-8 sequence at the start of a text that is not empty, 0 when it is none. */
size_t deer_utf8_sequence(const char *text);

#endif
