/* net.c: the layout of a network's parameters, and its nodes. Both come from one walk over the
 * layers: the first time the walk registers parameters, later it looks them up in the same order.
 */
#include "nn/layer.h"

#include <math.h>
#include <stdio.h>

#define MOST_SLOTS 256

struct deer_net {
  deer_net_spec spec;
  deer_space space;
  int n_outputs;
  int n_slots, size;
  deer_net_slot slots[MOST_SLOTS];
};

struct deer_layer_build {
  deer_net *net;
  deer_graph *g;
  bool laying_out; /* then parameters are registered, later they are found in `block` */
  deer_node block;
  int next;        /* the slot of the next parameter */
  char prefix[48]; /* "subject0.conv1" */
};

deer_graph *deer_layer_graph(deer_layer_build *b) { return b->g; }

/* ---- parameters ---- */

static double init_bound(deer_init init) {
  if (init.kind == DEER_INIT_GLOROT_UNIFORM)
    return sqrt(6.0 / (double)(init.fan_in + init.fan_out));
  if (init.kind == DEER_INIT_HE_UNIFORM) return sqrt(6.0 / (double)init.fan_in);
  return 0;
}

static deer_node lay_out_parameter(deer_layer_build *b, const char *name, deer_shape shape,
                                   deer_init init) {
  deer_net *net = b->net;
  if (net->n_slots == MOST_SLOTS)
    return deer_graph_fail(b->g, "more than %d weights and biases in one network", MOST_SLOTS);
  deer_net_slot *slot = &net->slots[net->n_slots];
  *slot = (deer_net_slot){.offset = net->size, .shape = shape, .bound = init_bound(init)};
  snprintf(slot->name, sizeof slot->name, "%.47s.%.15s", b->prefix, name);
  if (deer_shape_check(&shape, slot->name) != DEER_OK)
    return deer_graph_fail(b->g, "%s", deer_error());
  /* all of them lie in one block */
  int64_t size = net->size + (int64_t)deer_shape_count(&shape);
  if (size > INT32_MAX)
    return deer_graph_fail(b->g, "with %s the network has %lld parameters (expected at most %d)",
                           slot->name, (long long)size, INT32_MAX);
  net->size = (int)size;
  net->n_slots++;
  return deer_input(b->g, slot->name, DEER_DTYPE_REAL, shape);
}

deer_node deer_layer_parameter(deer_layer_build *b, const char *name, deer_shape shape,
                               deer_init init) {
  if (b->laying_out) return lay_out_parameter(b, name, shape, init);
  const deer_net_slot *slot = &b->net->slots[b->next++];
  return deer_name(b->g, deer_view(b->g, b->block, slot->offset, slot->shape), slot->name);
}

/* ---- walking the layers ---- */

/* one observation with its history as a picture: [batch, channels, rows, columns] */
static deer_shape image_shape(int batch, const deer_subject *subject) {
  const int *d = subject->shape.dim, h = subject->history;
  switch (subject->shape.rank) {
  case 0:
    return DEER_SHAPE(batch, 1, 1, h);
  case 1:
    return DEER_SHAPE(batch, 1, h, d[0]);
  case 2:
    return DEER_SHAPE(batch, h, d[0], d[1]);
  default:
    return DEER_SHAPE(batch, h * d[0], d[1], d[2]);
  }
}

static bool wants_image(const deer_layer_list *list) {
  for (int i = 0; i < list->n; i++)
    if (list->layers[i].kind->input == DEER_LAYER_IMAGE) return true;
  return false;
}

static deer_node apply_list(deer_layer_build *b, const char *where, const deer_layer_list *list,
                            deer_node x) {
  for (int i = 0; i < list->n; i++) {
    const deer_layer_spec *layer = &list->layers[i];
    snprintf(b->prefix, sizeof b->prefix, "%.16s.%.16s%d", where, layer->kind->name, i + 1);
    if (layer->kind->input == DEER_LAYER_FLAT) x = deer_flatten(b->g, x);
    x = deer_name(b->g, layer->kind->build(b, layer->options.bytes, x), b->prefix);
  }
  return x;
}

/* a branch: the subject's history as reals, in the form its first layers want */
static deer_node apply_branch(deer_layer_build *b, int s, deer_node state) {
  const deer_subject *subject = &b->net->space.subjects[s];
  const deer_layer_list *list = &b->net->spec.branches[s];
  int batch = deer_node_shape(b->g, state).dim[0];
  deer_node x = subject->dtype == DEER_DTYPE_REAL ? state : deer_cast(b->g, state);
  if (wants_image(list)) x = deer_reshape(b->g, x, image_shape(batch, subject));
  char where[24];
  snprintf(where, sizeof where, "subject%d", s);
  return deer_flatten(b->g, apply_list(b, where, list, x));
}

static deer_node apply_all(deer_layer_build *b, const deer_node *states) {
  const deer_net *net = b->net;
  deer_node parts[DEER_MAX_SUBJECTS];
  int n = net->space.n_subjects;
  for (int s = 0; s < n; s++) parts[s] = apply_branch(b, s, states[s]);
  deer_node x = n == 1 ? parts[0] : deer_concat(b->g, parts, n, 1);
  x = apply_list(b, "trunk", &net->spec.trunk, deer_name(b->g, x, "features"));
  deer_layer_spec output;
  deer_layer_make("dense", &output);
  deer_layer_set(&output, "units", (deer_value){DEER_VALUE_NUMBER, net->n_outputs, NULL});
  deer_layer_set(&output, "activation", (deer_value){DEER_VALUE_TEXT, 0, "linear"});
  snprintf(b->prefix, sizeof b->prefix, "output");
  return output.kind->build(b, output.options.bytes, deer_flatten(b->g, x));
}

deer_node deer_net_apply(const deer_net *net, deer_graph *g, deer_node block,
                         const deer_node *states) {
  /* with a block the walk only reads the layout */
  deer_layer_build b = {.net = (deer_net *)net, .g = g, .block = block};
  return apply_all(&b, states);
}

/* ---- life ---- */

static deer_status lay_out(deer_net *net) {
  deer_graph *g = deer_graph_new();
  if (!g) return DEER_ENOMEM;
  deer_layer_build b = {.net = net, .g = g, .laying_out = true};
  deer_node states[DEER_MAX_SUBJECTS];
  for (int s = 0; s < net->space.n_subjects; s++) {
    const deer_subject *subject = &net->space.subjects[s];
    states[s] = deer_input(g, "state", subject->dtype, deer_subject_batch(subject, 1));
  }
  apply_all(&b, states);
  deer_status status = deer_graph_status(g);
  if (status != DEER_OK)
    deer_fail(status, "the network does not fit (option 'network' takes another): %s",
              deer_error());
  deer_graph_free(g);
  return status;
}

deer_status deer_net_new(const deer_net_spec *spec, const deer_space *space, int n_outputs,
                         deer_net **net) {
  *net = NULL;
  if (n_outputs < 1) return deer_fail(DEER_EINVAL, "a network needs at least one output");
  if (spec->n_branches > space->n_subjects)
    return deer_fail(DEER_EINVAL, "the network has %d branches, the environment %d subjects",
                     spec->n_branches, space->n_subjects);
  deer_net *made = deer_alloc(sizeof *made);
  if (!made) return DEER_ENOMEM;
  made->spec = *spec;
  made->space = *space;
  made->n_outputs = n_outputs;
  deer_status status = lay_out(made);
  if (status == DEER_OK)
    *net = made;
  else
    deer_free(made);
  return status;
}

void deer_net_free(deer_net *net) { deer_free(net); }

int deer_net_size(const deer_net *net) { return net->size; }

bool deer_net_slot_at(const deer_net *net, int i, deer_net_slot *slot) {
  if (i < 0 || i >= net->n_slots) return false;
  *slot = net->slots[i];
  return true;
}

void deer_net_init(const deer_net *net, deer_rng *rng, deer_real *parameters) {
  for (int i = 0; i < net->n_slots; i++) {
    const deer_net_slot *slot = &net->slots[i];
    size_t n = deer_shape_count(&slot->shape);
    for (size_t k = 0; k < n; k++)
      parameters[(size_t)slot->offset + k] =
          slot->bound == 0 ? 0 : (deer_real)(slot->bound * (2 * deer_rng_uniform(rng) - 1));
  }
}
