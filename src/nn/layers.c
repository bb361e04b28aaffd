/* layers.c: registry and settings of layers, lists of them, helpers they share. */
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

const char *deer_layer_paper(const deer_layer_class *kind) { return kind->paper; }

const deer_field *deer_layer_fields(const deer_layer_class *kind) { return kind->fields; }

bool deer_layer_holds(const deer_layer_class *kind) { return kind->holds; }

/* ---- one layer ---- */

static deer_status start(const deer_layer_class *kind, deer_layer_spec *layer) {
  if (kind->options_size > DEER_LAYER_OPTIONS)
    return deer_fail(DEER_EINVAL, "layer %s has %zu bytes of options; DEER_LAYER_OPTIONS is %d",
                     kind->name, kind->options_size, DEER_LAYER_OPTIONS);
  *layer = (deer_layer_spec){.kind = kind};
  deer_fields_default(kind->fields, layer->options.bytes);
  return DEER_OK;
}

deer_status deer_layer_make(const char *name, deer_layer_spec *layer) {
  const char *names[N_CLASSES];
  for (int i = 0; i < N_CLASSES; i++) {
    names[i] = classes[i]->name;
    if (strcmp(names[i], name) == 0) return start(classes[i], layer);
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

/* names those that can */
static deer_status no_end(const char *name) {
  char names[128] = "";
  for (int i = 0; i < N_CLASSES; i++)
    if (classes[i]->ends && strlen(names) + strlen(classes[i]->name) + 3 < sizeof names)
      strcat(strcat(names, *names ? ", " : ""), classes[i]->name);
  return deer_fail(DEER_EINVAL, "layer %s cannot be the output; expected one of %s", name, names);
}

deer_status deer_output_make(const char *name, deer_layer_spec *layer) {
  DEER_TRY(deer_layer_make(name, layer));
  if (!layer->kind->ends) return no_end(name);
  if (!deer_fields_find(layer->kind->fields, "activation")) return DEER_OK;
  return deer_layer_set(layer, "activation", (deer_value){DEER_VALUE_TEXT, 0, "linear"});
}

/* ---- lists ---- */

deer_layer_spec *deer_layer_add(deer_layer_list *list, const char *name) {
  if (list->n == DEER_MAX_LAYERS) {
    deer_fail(DEER_EINVAL, "a list has at most %d layers, those inside of others included",
              DEER_MAX_LAYERS);
    return NULL;
  }
  if (deer_layer_make(name, &list->layers[list->n]) != DEER_OK) return NULL;
  return &list->layers[list->n++];
}

deer_status deer_layer_enclose(deer_layer_list *list, deer_layer_spec *layer) {
  if (!layer->kind->holds)
    return deer_fail(DEER_EINVAL, "layer %s takes no layers inside", layer->kind->name);
  layer->inside = list->n - (int)(layer - list->layers) - 1;
  return DEER_OK;
}

deer_layer_input deer_layers_input(const deer_layer_spec *layers, int n) {
  for (int i = 0; i < n; i++)
    if (layers[i].kind->input != DEER_LAYER_ANY) return layers[i].kind->input;
  return DEER_LAYER_ANY;
}

void deer_net_spec_split(deer_net_spec *spec) {
  deer_layer_list *trunk = &spec->trunk, *branch = &spec->branches[0];
  int end = 0;
  for (int i = 0; i < trunk->n; i += 1 + trunk->layers[i].inside) {
    const int next = i + 1 + trunk->layers[i].inside;
    const deer_layer_input input = deer_layers_input(&trunk->layers[i], next - i);
    if (input == DEER_LAYER_IMAGE || input == DEER_LAYER_SEQUENCE) end = next;
  }
  if (spec->n_branches != 1 || branch->n > 0 || end == 0) return;
  branch->n = end;
  memcpy(branch->layers, trunk->layers, (size_t)end * sizeof *branch->layers);
  trunk->n -= end;
  memmove(trunk->layers, trunk->layers + end, (size_t)trunk->n * sizeof *trunk->layers);
}

/* ---- helpers ---- */

static deer_node linear(deer_graph *g, deer_node x) {
  (void)g;
  return x;
}

static deer_node leaky_relu(deer_graph *g, deer_node x) { return deer_leaky_relu(g, x, 0.01); }

static deer_node elu(deer_graph *g, deer_node x) { return deer_elu(g, x, 1); }

/* in the order of DEER_ACTIVATION_CHOICES */
static deer_node (*const activations[])(deer_graph *g, deer_node x) = {
    linear,    deer_relu, deer_tanh,  deer_sigmoid,    leaky_relu,   elu,
    deer_selu, deer_gelu, deer_swish, deer_hard_swish, deer_softplus};

deer_node deer_activate(deer_graph *g, int kind, deer_node x) { return activations[kind](g, x); }

deer_node deer_flatten(deer_graph *g, deer_node x) {
  deer_shape shape = deer_node_shape(g, x);
  if (!x.id || shape.rank < 2) return x;
  int features = (int)deer_shape_count(&shape) / shape.dim[0];
  return deer_reshape(g, x, DEER_SHAPE(shape.dim[0], features));
}
