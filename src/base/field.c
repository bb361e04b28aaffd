/* field.c: option tables. */
#include "base/field.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_FIELDS 128

static void *member(const deer_field *field, void *options) {
  return (char *)options + field->offset;
}

static void write_number(const deer_field *field, void *options, double number) {
  void *target = member(field, options);
  switch (field->type) {
  case DEER_FIELD_REAL:
    *(double *)target = number;
    break;
  case DEER_FIELD_INT:
    *(int64_t *)target = (int64_t)number;
    break;
  case DEER_FIELD_BOOL:
    *(bool *)target = number != 0;
    break;
  case DEER_FIELD_CHOICE:
    *(int *)target = (int)number;
    break;
  }
}

void deer_fields_default(const deer_field *fields, void *options) {
  for (; fields && fields->name; fields++) write_number(fields, options, fields->fallback);
}

/* equal but for letter case and '_' */
static bool same_name(const char *a, const char *b) {
  for (;; a++, b++) {
    while (*a == '_') a++;
    while (*b == '_') b++;
    if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) return false;
    if (!*a) return true;
  }
}

const deer_field *deer_fields_find(const deer_field *fields, const char *name) {
  for (; fields && fields->name; fields++)
    if (same_name(fields->name, name)) return fields;
  return NULL;
}

bool deer_choice_word(const char *choices, int i, char *word, size_t size) {
  for (; i > 0; i--) {
    choices = strchr(choices, '|');
    if (!choices) return false;
    choices++;
  }
  size_t n = strcspn(choices, "|");
  if (i < 0 || n == 0 || n >= size) return false;
  memcpy(word, choices, n);
  word[n] = '\0';
  return true;
}

/* position of `text` in a choice list, -1 if it is not there */
static int choice_position(const char *choices, const char *text) {
  char word[64];
  for (int i = 0; deer_choice_word(choices, i, word, sizeof word); i++)
    if (same_name(word, text)) return i;
  return -1;
}

static deer_status unknown_option(const deer_field *fields, const char *name) {
  const char *names[MOST_FIELDS];
  size_t n = 0;
  for (const deer_field *f = fields; f && f->name && n < MOST_FIELDS; f++) names[n++] = f->name;
  const char *nearest = deer_nearest(name, names, n);
  if (nearest)
    return deer_fail(DEER_EINVAL, "unknown option '%s'; did you mean '%s'?", name, nearest);
  return deer_fail(DEER_EINVAL, "unknown option '%s'", name);
}

static deer_status set_choice(const deer_field *field, void *options, deer_value value) {
  int position = value.type == DEER_VALUE_TEXT ? choice_position(field->choices, value.text) : -1;
  if (position >= 0) {
    write_number(field, options, position);
    return DEER_OK;
  }
  if (value.type == DEER_VALUE_BOOL)
    return deer_fail(DEER_EINVAL, "option '%s': expected one of %s, got a boolean", field->name,
                     field->choices);
  if (value.type == DEER_VALUE_NUMBER)
    return deer_fail(DEER_EINVAL, "option '%s': expected one of %s, got %.15g", field->name,
                     field->choices, value.number);
  return deer_fail(DEER_EINVAL, "option '%s': expected one of %s, got '%s'", field->name,
                   field->choices, value.text);
}

static deer_status set_number(const deer_field *field, void *options, deer_value value) {
  const char *kind = field->type == DEER_FIELD_INT ? "a whole number" : "a number";
  double x = value.number;
  if (value.type == DEER_VALUE_TEXT)
    return deer_fail(DEER_EINVAL, "option '%s': expected %s, got '%s'", field->name, kind,
                     value.text);
  if (value.type == DEER_VALUE_BOOL)
    return deer_fail(DEER_EINVAL, "option '%s': expected %s, got a boolean", field->name, kind);
  bool whole = field->type != DEER_FIELD_INT || (x == floor(x) && fabs(x) < 9e15);
  if (!(x >= field->min && x <= field->max) || !whole)
    return deer_fail(DEER_EINVAL, "option '%s': expected %s between %.15g and %.15g, got %.15g",
                     field->name, kind, field->min, field->max, x);
  write_number(field, options, x);
  return DEER_OK;
}

deer_status deer_fields_set(const deer_field *fields, void *options, const char *name,
                            deer_value value) {
  const deer_field *field = deer_fields_find(fields, name);
  if (!field) return unknown_option(fields, name);
  if (field->type == DEER_FIELD_CHOICE) return set_choice(field, options, value);
  if (field->type != DEER_FIELD_BOOL) return set_number(field, options, value);
  if (value.type == DEER_VALUE_TEXT)
    return deer_fail(DEER_EINVAL, "option '%s': expected true or false, got '%s'", field->name,
                     value.text);
  if (value.type != DEER_VALUE_BOOL)
    return deer_fail(DEER_EINVAL, "option '%s': expected true or false, got %.15g", field->name,
                     value.number);
  write_number(field, options, value.number);
  return DEER_OK;
}

/* the text of a choice lives here until the next call of the same thread */
static _Thread_local char choice_text[64];

deer_value deer_fields_get(const deer_field *field, const void *options) {
  const void *source = (const char *)options + field->offset;
  deer_value value = {.type = DEER_VALUE_NUMBER};
  switch (field->type) {
  case DEER_FIELD_REAL:
    value.number = *(const double *)source;
    break;
  case DEER_FIELD_INT:
    value.number = (double)*(const int64_t *)source;
    break;
  case DEER_FIELD_BOOL:
    value.type = DEER_VALUE_BOOL;
    value.number = *(const bool *)source;
    break;
  case DEER_FIELD_CHOICE:
    value.type = DEER_VALUE_TEXT;
    deer_choice_word(field->choices, *(const int *)source, choice_text, sizeof choice_text);
    value.text = choice_text;
    break;
  }
  return value;
}
