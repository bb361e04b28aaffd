/* default.c: DeeR's default networks: a small convolution over frames, another one or an LSTM over
 * histories longer than three, then two dense layers of 50 and 20. Frames too small for DeeR's
 * convolutions have a single one. */
#include "nn/nn.h"

#include <string.h>

typedef struct net_style {
  const char *name, *activation;
  bool tanh_era;  /* the shapes of DeeR 0.2 */
  bool recurrent; /* over histories of numbers and vectors */
} net_style;

static const net_style styles[] = {{"deer", "relu", false, false},
                                   {"deer-0.2", "tanh", true, false},
                                   {"deer-lstm", "relu", false, true}};

typedef struct window {
  int filters, rows, columns, stride;
} window;

static void set(deer_layer_spec *layer, const char *option, double number) {
  deer_layer_set(layer, option, (deer_value){DEER_VALUE_NUMBER, number, NULL});
}

static deer_layer_spec *add(deer_layer_list *list, const char *name, const net_style *style) {
  deer_layer_spec *layer = deer_layer_add(list, name);
  deer_layer_set(layer, "activation", (deer_value){DEER_VALUE_TEXT, 0, style->activation});
  return layer;
}

static void add_conv(deer_layer_list *list, const net_style *style, window w) {
  deer_layer_spec *layer = add(list, "conv", style);
  set(layer, "filters", w.filters);
  set(layer, "rows", w.rows);
  set(layer, "columns", w.columns);
  set(layer, "stride_rows", w.stride);
  set(layer, "stride_columns", w.stride);
}

static void add_dense(deer_layer_list *list, const net_style *style, int units) {
  set(add(list, "dense", style), "units", units);
}

/* two of them: the first hands its whole sequence on */
static void add_lstms(deer_layer_list *list, const net_style *style, int units) {
  deer_layer_spec *first = add(list, "lstm", style);
  set(first, "units", units);
  deer_layer_set(first, "sequence", (deer_value){DEER_VALUE_BOOL, 1, NULL});
  set(add(list, "lstm", style), "units", units);
}

static void frame_branch(deer_layer_list *list, const deer_shape *shape, const net_style *style) {
  enum { LEAST = 11, WINDOW = 3 }; /* what DeeR's layers below need, what the only one does */
  int rows = shape->dim[shape->rank - 2], columns = shape->dim[shape->rank - 1];
  int side = rows < columns ? rows : columns;
  if (style->tanh_era) {
    add_conv(list, style, (window){32, 8, 8, 4});
    add_conv(list, style, (window){64, 4, 4, 2});
    add_conv(list, style, (window){64, 3, 3, 1});
    return;
  }
  if (side < LEAST) {
    if (side >= WINDOW) add_conv(list, style, (window){16, WINDOW, WINDOW, 1});
    return;
  }
  add_conv(list, style, (window){8, 4, 4, 1});
  add_conv(list, style, (window){16, 3, 3, 1});
  deer_layer_add(list, "maxpool");
  add_conv(list, style, (window){16, 3, 3, 1});
}

static void branch(const deer_subject *subject, const net_style *style, deer_layer_list *list) {
  int rank = subject->shape.rank;
  if (rank >= 2) {
    frame_branch(list, &subject->shape, style);
  } else if (style->recurrent && subject->history > 3) {
    add_lstms(list, style, rank == 1 ? 16 : 8);
  } else if (rank == 1 && subject->history > 3) {
    add_conv(list, style, (window){16, 2, 1, 1});
    add_conv(list, style, (window){16, 2, style->tanh_era ? 2 : 1, 1});
  } else if (rank == 0 && subject->history > 3) {
    add_conv(list, style, (window){8, 1, 2, 1});
    add_conv(list, style, (window){8, 1, 2, 1});
  }
}

deer_status deer_net_default(const char *name, const deer_space *space, deer_net_spec *spec) {
  const net_style *chosen = NULL;
  for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
    if (strcmp(styles[i].name, name) == 0) chosen = &styles[i];
  if (!chosen)
    return deer_fail(
        DEER_EINVAL,
        "unknown network '%s'; expected 'deer', 'deer-0.2', 'deer-lstm' or a list of layers", name);
  *spec = (deer_net_spec){.n_branches = space->n_subjects};
  for (int s = 0; s < space->n_subjects; s++) {
    if (space->subjects[s].shape.rank > 3)
      return deer_fail(DEER_EINVAL, "subject %d: no default network for observations of rank %d", s,
                       space->subjects[s].shape.rank);
    branch(&space->subjects[s], chosen, &spec->branches[s]);
  }
  add_dense(&spec->trunk, chosen, 50);
  add_dense(&spec->trunk, chosen, 20);
  return DEER_OK;
}
