/* layer_text.h: lists of layers written as text, for tests:
 * "conv filters=3; residual { dense units=4 activation=tanh; dense units=40 }" */
#ifndef LAYER_TEXT_H
#define LAYER_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "deer.h"

/* the next word, which ends at a blank, "=" or one of "{};"; the caller is told where it ended */
static const char *next_word(const char **text, char word[64]) {
  *text += strspn(*text, " ");
  size_t n = strcspn(*text, " ={};");
  memcpy(word, *text, n);
  word[n] = '\0';
  *text += n;
  return word;
}

static deer_value value_of(const char *word) {
  char *end;
  double number = strtod(word, &end);
  if (*end == '\0') return (deer_value){DEER_VALUE_NUMBER, number, NULL};
  if (strcmp(word, "true") == 0) return (deer_value){DEER_VALUE_BOOL, 1, NULL};
  return (deer_value){DEER_VALUE_TEXT, 0, word};
}

/* appends layers up to the end of the text or "}" */
static deer_status read_layers(deer_layer_list *list, const char **text) {
  char name[64], word[64];
  while (*next_word(text, name)) {
    deer_layer_spec *layer = deer_layer_add(list, name);
    if (!layer) return DEER_EINVAL;
    while (*next_word(text, name)) {
      ++*text; /* "=" */
      DEER_TRY(deer_layer_set(layer, name, value_of(next_word(text, word))));
    }
    if (**text == '{') {
      ++*text;
      DEER_TRY(read_layers(list, text));
      DEER_TRY(deer_layer_enclose(list, layer));
      *text += strspn(*text, " ");
    }
    if (**text == ';') ++*text;
  }
  if (**text == '}') ++*text;
  return DEER_OK;
}

static deer_status layers_from(const char *text, deer_layer_list *list) {
  list->n = 0;
  return read_layers(list, &text);
}

#endif
