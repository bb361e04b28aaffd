/* layers.c: registry and settings of layers, helpers they share. */
#include "nn/layer.h"

#include <string.h>

static const deer_layer_class *const classes[] = {
#define LAYER(name) &deer_layer_##name,
#include "nn/layers.def"
#undef LAYER
};

enum { N_CLASSES = sizeof classes / sizeof *classes };

const deer_layer_class *deer_layer_at(int i) { return i >= 0 && i < N_CLASSES ? classes[i] : NULL; }

const char *deer_layer_name(const deer_layer_class *kind) { return kind->name; }

const char *deer_layer_help(const deer_layer_class *kind) { return kind->help; }

const deer_field *deer_layer_fields(const deer_layer_class *kind) { return kind->fields; }

deer_status deer_layer_make(const char *name, deer_layer_spec *layer) {
  const char *names[N_CLASSES];
  for (int i = 0; i < N_CLASSES; i++) {
    names[i] = classes[i]->name;
    if (strcmp(names[i], name) != 0) continue;
    *layer = (deer_layer_spec){.kind = classes[i]};
    deer_fields_default(classes[i]->fields, layer->options.bytes);
    return DEER_OK;
  }
  const char *nearest = deer_nearest(name, names, N_CLASSES);
  if (!nearest) return deer_fail(DEER_EINVAL, "unknown layer '%s'", name);
  return deer_fail(DEER_EINVAL, "unknown layer '%s'; did you mean '%s'?", name, nearest);
}

deer_status deer_layer_set(deer_layer_spec *layer, const char *option, deer_value value) {
  deer_status status = deer_fields_set(layer->kind->fields, layer->options.bytes, option, value);
  if (status == DEER_OK) return DEER_OK;
  return deer_fail(status, "layer %s: %s", layer->kind->name, deer_error());
}

deer_node deer_activate(deer_graph *g, int kind, deer_node x) {
  switch (kind) {
  case 1:
    return deer_relu(g, x);
  case 2:
    return deer_tanh(g, x);
  case 3:
    return deer_sigmoid(g, x);
  default:
    return x;
  }
}

deer_node deer_flatten(deer_graph *g, deer_node x) {
  deer_shape shape = deer_node_shape(g, x);
  if (!x.id || shape.rank < 2) return x;
  int features = (int)deer_shape_count(&shape) / shape.dim[0];
  return deer_reshape(g, x, DEER_SHAPE(shape.dim[0], features));
}
