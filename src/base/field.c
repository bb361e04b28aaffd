/* field.c: option tables. */
#include "base/field.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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
  case DEER_FIELD_LIST:
  case DEER_FIELD_WHOLES:
    ((deer_list *)target)->n = 0;
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

/* what came instead of the type that was expected */
static const char *value_text(deer_value value, char text[80]) {
  if (value.type == DEER_VALUE_NUMBER)
    snprintf(text, 80, "%.15g", value.number);
  else if (value.type == DEER_VALUE_TEXT)
    snprintf(text, 80, "'%.70s'", value.text);
  else
    snprintf(text, 80, "a boolean");
  return text;
}

static deer_status set_choice(const deer_field *field, void *options, deer_value value) {
  char got[80];
  int position = value.type == DEER_VALUE_TEXT ? choice_position(field->choices, value.text) : -1;
  if (position < 0)
    return deer_fail(DEER_EINVAL, "option '%s': expected one of %s, got %s", field->name,
                     field->choices, value_text(value, got));
  write_number(field, options, position);
  return DEER_OK;
}

static deer_status set_number(const deer_field *field, void *options, deer_value value) {
  const char *kind = field->type == DEER_FIELD_INT ? "a whole number" : "a number";
  char got[80];
  double x = value.number;
  if (value.type != DEER_VALUE_NUMBER)
    return deer_fail(DEER_EINVAL, "option '%s': expected %s, got %s", field->name, kind,
                     value_text(value, got));
  bool whole = field->type != DEER_FIELD_INT || (x == floor(x) && fabs(x) < 9e15);
  if (!(x >= field->min && x <= field->max) || !whole)
    return deer_fail(DEER_EINVAL, "option '%s': expected %s between %.15g and %.15g, got %.15g",
                     field->name, kind, field->min, field->max, x);
  write_number(field, options, x);
  return DEER_OK;
}

static deer_status set_bool(const deer_field *field, void *options, deer_value value) {
  char got[80];
  if (value.type != DEER_VALUE_BOOL)
    return deer_fail(DEER_EINVAL, "option '%s': expected true or false, got %s", field->name,
                     value_text(value, got));
  write_number(field, options, value.number);
  return DEER_OK;
}

/* reads "0, 0.5, -1"; how many numbers there are, -1 when that is no such list */
static int read_list(const char *text, double at[DEER_LIST_MOST]) {
  char *end;
  for (int n = 0; n < DEER_LIST_MOST; text = end + 1) {
    at[n++] = strtod(text, &end);
    if (end == text) return -1;
    end += strspn(end, " ");
    if (!*end) return n;
    if (*end != ',') return -1;
  }
  return -1;
}

static int list_length(const deer_field *field) {
  int n = 1;
  for (const char *c = field->choices; *c; c++) n += *c == '|';
  return n;
}

static deer_status set_list(const deer_field *field, void *options, deer_value value) {
  char got[80];
  deer_list list = {0};
  bool whole = field->type == DEER_FIELD_WHOLES;
  if (value.type == DEER_VALUE_TEXT) list.n = read_list(value.text, list.at);
  bool fits = list.n == list_length(field);
  for (int i = 0; fits && i < list.n; i++)
    fits = list.at[i] >= field->min && list.at[i] <= field->max &&
           (!whole || list.at[i] == floor(list.at[i]));
  if (!fits)
    return deer_fail(
        DEER_EINVAL,
        "option '%s': expected a list of %d %snumbers between %.15g and %.15g (%s), got %s",
        field->name, list_length(field), whole ? "whole " : "", field->min, field->max,
        field->choices, value_text(value, got));
  memcpy(member(field, options), &list, sizeof list);
  return DEER_OK;
}

deer_status deer_fields_set(const deer_field *fields, void *options, const char *name,
                            deer_value value) {
  const deer_field *field = deer_fields_find(fields, name);
  if (!field) return unknown_option(fields, name);
  switch (field->type) {
  case DEER_FIELD_CHOICE:
    return set_choice(field, options, value);
  case DEER_FIELD_BOOL:
    return set_bool(field, options, value);
  case DEER_FIELD_LIST:
  case DEER_FIELD_WHOLES:
    return set_list(field, options, value);
  default:
    return set_number(field, options, value);
  }
}

/* the text of a choice or a list lives here until the next call of the same thread */
static _Thread_local char field_text[DEER_LIST_MOST * 26];

static const char *list_text(const deer_list *list) {
  size_t at = 0;
  field_text[0] = '\0';
  for (int i = 0; i < list->n; i++)
    at += (size_t)snprintf(field_text + at, sizeof field_text - at, "%s%.17g", i ? ", " : "",
                           list->at[i]);
  return field_text;
}

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
    deer_choice_word(field->choices, *(const int *)source, field_text, sizeof field_text);
    value.text = field_text;
    break;
  case DEER_FIELD_LIST:
  case DEER_FIELD_WHOLES:
    value.type = DEER_VALUE_TEXT;
    value.text = list_text(source);
    break;
  }
  return value;
}
