/* field.h: one table describes the options of a class (algo, layer, optimiser, replay,
 * environment): name, type, default, range, help and search range. From it come defaults, checks,
 * --help and saved settings. */
#ifndef DEER_FIELD_H
#define DEER_FIELD_H

#include "base/base.h"

typedef enum deer_field_type {
  DEER_FIELD_REAL,   /* double */
  DEER_FIELD_INT,    /* int64_t */
  DEER_FIELD_BOOL,   /* bool */
  DEER_FIELD_CHOICE, /* int: the position of the word in `choices` */
  DEER_FIELD_LIST,   /* deer_list: one number for each word of `choices`; none by default */
  DEER_FIELD_WHOLES  /* the same of whole numbers */
} deer_field_type;

#define DEER_LIST_MOST 20

typedef struct deer_list {
  int n; /* 0: not given */
  double at[DEER_LIST_MOST];
} deer_list;

typedef struct deer_field {
  const char *name; /* snake_case; NULL ends a table */
  deer_field_type type;
  size_t offset;                 /* of the member in the options struct */
  double fallback;               /* the default; for a choice its position, for a bool 0 or 1 */
  double min, max;               /* allowed range of numbers, inclusive */
  const char *choices;           /* "sum|mean"; for a list what its numbers are, "angle|speed" */
  const char *help;              /* one line */
  double search_min, search_max; /* range for hyper-parameter search; equal when there is none */
} deer_field;

typedef struct deer_value {
  enum { DEER_VALUE_NUMBER, DEER_VALUE_BOOL, DEER_VALUE_TEXT } type;
  double number;    /* also 0 or 1 of a bool */
  const char *text; /* also a list: "0, 0.5, -1" */
} deer_value;

/* Fills the options struct with the defaults of every field. */
void deer_fields_default(const deer_field *fields, void *options);

/* The field called `name`; letter case and '_' do not count, so evaluateOn finds evaluate_on. NULL
 * if none. */
const deer_field *deer_fields_find(const deer_field *fields, const char *name);

/* Sets one option. Fails with DEER_EINVAL and a message that names the option, what was expected
 * (type, range, choices) and what came; an unknown name is answered with the nearest known one. */
deer_status deer_fields_set(const deer_field *fields, void *options, const char *name,
                            deer_value value);

/* Reads one option back. A choice or a list comes as text, which the next call of the same thread
 * overwrites. */
deer_value deer_fields_get(const deer_field *field, const void *options);

/* Writes the i-th (0-based) word of a choice list into `word`; false when there is no such word. */
bool deer_choice_word(const char *choices, int i, char *word, size_t size);

#endif
