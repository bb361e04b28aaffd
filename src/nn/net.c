/* net.c: the layout of a network's parameters, and its nodes. Both come from one walk over the
 * layers: the first time the walk registers parameters, later it looks them up in the same order.
 */
#include "nn/layer.h"

#include <stdio.h>
#include <string.h>

typedef struct head {
  char name[sizeof((deer_head_spec *)NULL)->name];
  int units, atoms;
  const deer_layer_list *layers; /* of its own; NULL: none */
  deer_layer_spec output;
} head;

struct deer_net {
  deer_net_spec spec;
  deer_space space;
  int n_heads;
  head heads[DEER_MAX_HEADS];
  int n_slots, size;
  deer_net_slot slots[DEER_MAX_SLOTS];
  int n_memories, memories[DEER_MAX_MEMORIES]; /* widths */
  deer_rng noise;
  const deer_normalizer *normalizer;
};

struct deer_layer_build {
  deer_net *net;
  deer_graph *g;
  bool laying_out; /* then parameters are registered, later they are found in the block */
  const deer_net_call *call;
  int next_slot, next_memory, next_remembered;
  const deer_layer_spec *layer; /* the present one, and its name: "subject0.conv1" */
  char where[sizeof((deer_net_slot *)NULL)->name];
};

deer_graph *deer_layer_graph(deer_layer_build *b) { return b->g; }

const char *deer_layer_where(const deer_layer_build *b) { return b->where; }

deer_rng *deer_layer_noise(deer_layer_build *b) { return b->call->noise ? &b->net->noise : NULL; }

/* ---- parameters ---- */

static deer_node lay_out_parameter(deer_layer_build *b, const char *name, deer_shape shape,
                                   deer_init init) {
  deer_net *net = b->net;
  if (net->n_slots == DEER_MAX_SLOTS)
    return deer_graph_fail(b->g, "%s: more than %d weights and biases in one network", b->where,
                           DEER_MAX_SLOTS);
  deer_net_slot *slot = &net->slots[net->n_slots];
  *slot = (deer_net_slot){.offset = net->size, .shape = shape, .init = init};
  int length = snprintf(slot->name, sizeof slot->name, "%s.%s", b->where, name);
  if (length >= (int)sizeof slot->name)
    return deer_graph_fail(b->g, "%s: layers lie too deep inside of others: '%s' is over %zu long",
                           b->where, slot->name, sizeof slot->name - 1);
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
  const deer_net_slot *slot = &b->net->slots[b->next_slot++];
  return deer_name(b->g, deer_view(b->g, b->call->block, slot->offset, slot->shape), slot->name);
}

void deer_layer_tap(deer_layer_build *b, deer_node input, deer_node output) {
  const deer_net_call *call = b->call;
  if (b->laying_out || !call->taps) return;
  const deer_net_slot *weight = &b->net->slots[b->next_slot - 2];
  call->taps[(*call->n_taps)++] = (deer_net_tap){input, output, weight->offset};
}

/* ---- what is carried over ---- */

bool deer_layer_carries(const deer_layer_build *b) {
  return b->laying_out || b->call->memory || b->call->remembered;
}

deer_node deer_layer_memory(deer_layer_build *b, int batch, int width) {
  deer_net *net = b->net;
  const int i = b->next_memory++;
  if (b->laying_out) {
    if (i >= DEER_MAX_MEMORIES)
      return deer_graph_fail(b->g, "%s: more than %d memories in one network", b->where,
                             DEER_MAX_MEMORIES);
    net->memories[i] = width;
    net->n_memories = i + 1;
  }
  const deer_shape shape = DEER_SHAPE(batch, width);
  if (!b->call->memory) return deer_constant(b->g, shape, 0);
  /* for a clear message when what was carried does not fit */
  return deer_reshape(b->g, b->call->memory[i], shape);
}

void deer_layer_remember(deer_layer_build *b, deer_node value) {
  const int i = b->next_remembered++;
  if (b->call->remembered) b->call->remembered[i] = value;
}

/* ---- walking the layers ---- */

static deer_node wrong_form(deer_layer_build *b, const char *wanted, deer_shape shape) {
  char text[DEER_SHAPE_TEXT];
  return deer_graph_fail(b->g,
                         "%s: expected %s, got %s (layers for pictures and sequences belong to the "
                         "branch of a subject)",
                         b->where, wanted, deer_shape_text(&shape, text));
}

/* x in the form that the layer wants; "none" with a message when it does not come in that form */
static deer_node in_form(deer_layer_build *b, deer_layer_input input, deer_node x) {
  const deer_shape shape = deer_node_shape(b->g, x);
  if (!x.id) return x;
  if (input == DEER_LAYER_FLAT) return deer_flatten(b->g, x);
  if (input == DEER_LAYER_IMAGE && shape.rank != 4)
    return wrong_form(b, "[batch, channels, rows, columns]", shape);
  if (input != DEER_LAYER_SEQUENCE || shape.rank == 3) return x;
  if (shape.rank != 2) return wrong_form(b, "[batch, steps, features]", shape);
  return deer_reshape(b->g, x, DEER_SHAPE(shape.dim[0], 1, shape.dim[1])); /* one step */
}

/* layer number `number` (from 1) of the list called `list` */
static deer_node apply_layer(deer_layer_build *b, const char *list, const deer_layer_spec *layer,
                             int number, deer_node x) {
  int length = snprintf(b->where, sizeof b->where, "%s.%s%d", list, layer->kind->name, number);
  if (length >= (int)sizeof b->where)
    return deer_graph_fail(b->g, "%s: layers lie too deep inside of others", list);
  b->layer = layer;
  x = in_form(b, deer_layers_input(layer, 1 + layer->inside), x);
  x = layer->kind->build(b, layer->options.bytes, x);
  return deer_name(b->g, x, b->where);
}

static deer_node apply_list(deer_layer_build *b, const char *name, const deer_layer_list *list,
                            deer_node x) {
  for (int i = 0, number = 1; i < list->n; i += 1 + list->layers[i].inside)
    x = apply_layer(b, name, &list->layers[i], number++, x);
  return x;
}

/* the layer directly inside of the present one that comes after `i` others; NULL past the end */
static const deer_layer_spec *child_at(const deer_layer_build *b, int i) {
  const deer_layer_spec *child = b->layer + 1, *end = child + b->layer->inside;
  for (; i > 0 && child < end; i--) child += 1 + child->inside;
  return child < end ? child : NULL;
}

int deer_layer_children(const deer_layer_build *b) {
  int n = 0;
  while (child_at(b, n)) n++;
  return n;
}

deer_node deer_layer_child(deer_layer_build *b, int i, deer_node x) {
  const deer_layer_spec *self = b->layer;
  char where[sizeof b->where];
  memcpy(where, b->where, sizeof where);
  x = apply_layer(b, where, child_at(b, i), i + 1, x);
  b->layer = self;
  memcpy(b->where, where, sizeof where);
  return x;
}

/* ---- branches, trunk and heads ---- */

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

/* the steps of a history, as many as the state has: [batch, steps, features] */
static deer_shape sequence_shape(deer_shape state) {
  const int steps = state.rank > 1 ? state.dim[1] : 1;
  return DEER_SHAPE(state.dim[0], steps, (int)deer_shape_count(&state) / (state.dim[0] * steps));
}

/* the subject's history as reals, in the form its first layers want, through its branch */
static deer_node apply_branch(deer_layer_build *b, int s) {
  const deer_subject *subject = &b->net->space.subjects[s];
  const deer_layer_list *list = &b->net->spec.branches[s];
  deer_node x = b->call->states[s];
  if (subject->dtype != DEER_DTYPE_REAL) x = deer_cast(b->g, x);
  if (b->net->normalizer) x = deer_normalize(b->net->normalizer, b->g, s, x);
  const deer_shape shape = deer_node_shape(b->g, x);
  const deer_layer_input input = deer_layers_input(list->layers, list->n);
  if (x.id && input == DEER_LAYER_IMAGE)
    x = deer_reshape(b->g, x, image_shape(shape.dim[0], subject));
  if (x.id && input == DEER_LAYER_SEQUENCE) x = deer_reshape(b->g, x, sequence_shape(shape));
  char name[24];
  snprintf(name, sizeof name, "subject%d", s);
  return deer_flatten(b->g, apply_list(b, name, list, x));
}

static deer_node apply_head(deer_layer_build *b, const head *h, deer_node x) {
  if (h->layers) x = apply_list(b, h->name, h->layers, x);
  snprintf(b->where, sizeof b->where, "%s", h->name);
  b->layer = &h->output;
  deer_node y = h->output.kind->build(b, h->output.options.bytes, deer_flatten(b->g, x));
  const deer_shape shape = deer_node_shape(b->g, y);
  if (h->atoms > 0 && y.id) y = deer_reshape(b->g, y, DEER_SHAPE(shape.dim[0], h->units, h->atoms));
  return deer_name(b->g, y, h->name);
}

static void apply_all(deer_layer_build *b, deer_node *outputs) {
  const deer_net *net = b->net;
  deer_node parts[DEER_MAX_SUBJECTS];
  int n = net->space.n_subjects;
  for (int s = 0; s < n; s++) parts[s] = apply_branch(b, s);
  deer_node x = n == 1 ? parts[0] : deer_concat(b->g, parts, n, 1);
  x = apply_list(b, "trunk", &net->spec.trunk, deer_name(b->g, x, "features"));
  for (int i = 0; i < net->n_heads; i++) outputs[i] = apply_head(b, &net->heads[i], x);
}

void deer_net_apply_heads(deer_net *net, deer_graph *g, const deer_net_call *call,
                          deer_node *outputs) {
  deer_layer_build b = {.net = net, .g = g, .call = call};
  if (call->taps) *call->n_taps = 0;
  apply_all(&b, outputs);
}

deer_node deer_net_apply(const deer_net *net, deer_graph *g, deer_node block,
                         const deer_node *states) {
  deer_node outputs[DEER_MAX_HEADS];
  /* without noise the walk only reads */
  deer_net_apply_heads((deer_net *)net, g, &(deer_net_call){.block = block, .states = states},
                       outputs);
  return outputs[0];
}

/* ---- life ---- */

static deer_status lay_out(deer_net *net) {
  deer_graph *g = deer_graph_new();
  if (!g) return DEER_ENOMEM;
  deer_node states[DEER_MAX_SUBJECTS], outputs[DEER_MAX_HEADS];
  deer_net_call call = {.states = states};
  deer_layer_build b = {.net = net, .g = g, .laying_out = true, .call = &call};
  for (int s = 0; s < net->space.n_subjects; s++) {
    const deer_subject *subject = &net->space.subjects[s];
    states[s] = deer_input(g, "state", subject->dtype, deer_subject_batch(subject, 1));
  }
  apply_all(&b, outputs);
  deer_status status = deer_graph_status(g);
  if (status != DEER_OK)
    deer_fail(status, "the network does not fit (option 'network' takes another): %s",
              deer_error());
  deer_graph_free(g);
  return status;
}

static deer_value number(int x) { return (deer_value){DEER_VALUE_NUMBER, x, NULL}; }

/* the last layer of a head, in the size that the head wants */
static deer_status make_output(head *h, const deer_net_spec *spec, const deer_layer_spec *wanted) {
  if (spec->output.kind)
    h->output = spec->output;
  else if (wanted)
    h->output = *wanted;
  else
    DEER_TRY(deer_output_make("dense", &h->output));
  if (!deer_fields_find(deer_layer_fields(h->output.kind), "atoms"))
    return deer_layer_set(&h->output, "units", number(h->units * (h->atoms > 0 ? h->atoms : 1)));
  DEER_TRY(deer_layer_set(&h->output, "atoms", number(h->atoms)));
  return deer_layer_set(&h->output, "units", number(h->units));
}

static deer_status add_head(deer_net *net, const deer_net_head *wanted) {
  head *h = &net->heads[net->n_heads++];
  if (strlen(wanted->name) >= sizeof h->name)
    return deer_fail(DEER_EINVAL, "the name of head '%s' is over %zu long", wanted->name,
                     sizeof h->name - 1);
  strcpy(h->name, wanted->name);
  if (wanted->units < 1)
    return deer_fail(DEER_EINVAL, "head '%s' of a network needs at least one output", h->name);
  if (wanted->units > 65536 || wanted->atoms < 0 || wanted->atoms > DEER_MAX_ATOMS)
    return deer_fail(DEER_EINVAL,
                     "head '%s': expected at most 65536 outputs of at most %d atoms, got %d of %d",
                     h->name, DEER_MAX_ATOMS, wanted->units, wanted->atoms);
  h->units = wanted->units;
  h->atoms = wanted->atoms;
  for (int i = 0; i < net->spec.n_heads; i++)
    if (strcmp(net->spec.heads[i].name, h->name) == 0) h->layers = &net->spec.heads[i].layers;
  if (make_output(h, &net->spec, wanted->output) == DEER_OK) return DEER_OK;
  return deer_fail(DEER_EINVAL, "head '%s': %s", h->name, deer_error());
}

static deer_status unknown_head(const char *name, const char *const *names, int n) {
  char all[DEER_MAX_HEADS * 20] = "";
  for (int i = 0; i < n; i++) strcat(strcat(all, i > 0 ? ", " : ""), names[i]);
  return deer_fail(DEER_EINVAL,
                   "the network has layers for a head '%s'; the heads of this algorithm are: %s",
                   name, all);
}

/* every head that the spec has layers for is there */
static deer_status check_heads(const deer_net *net) {
  const char *names[DEER_MAX_HEADS];
  for (int i = 0; i < net->n_heads; i++) {
    names[i] = net->heads[i].name;
    for (int k = 0; k < i; k++)
      if (strcmp(names[i], names[k]) == 0)
        return deer_fail(DEER_EINVAL, "two heads are called '%s'", names[i]);
  }
  for (int k = 0; k < net->spec.n_heads; k++) {
    const char *name = net->spec.heads[k].name;
    bool known = false;
    for (int i = 0; i < net->n_heads; i++) known = known || strcmp(names[i], name) == 0;
    if (known) continue;
    return unknown_head(name, names, net->n_heads);
  }
  return DEER_OK;
}

static deer_status fill(deer_net *net, const deer_net_head *heads, int n_heads) {
  for (int i = 0; i < n_heads; i++) DEER_TRY(add_head(net, &heads[i]));
  DEER_TRY(check_heads(net));
  return lay_out(net);
}

deer_status deer_net_new_heads(const deer_net_spec *spec, const deer_space *space,
                               const deer_net_head *heads, int n_heads, deer_net **net) {
  *net = NULL;
  if (spec->n_branches > space->n_subjects)
    return deer_fail(DEER_EINVAL, "the network has %d branches, the environment %d subjects",
                     spec->n_branches, space->n_subjects);
  if (n_heads < 1 || n_heads > DEER_MAX_HEADS)
    return deer_fail(DEER_EINVAL, "expected 1 to %d heads, got %d", DEER_MAX_HEADS, n_heads);
  deer_net *made = deer_alloc(sizeof *made);
  if (!made) return DEER_ENOMEM;
  made->spec = *spec;
  made->space = *space;
  made->noise = deer_rng_seed(0);
  deer_status status = fill(made, heads, n_heads);
  if (status == DEER_OK)
    *net = made;
  else
    deer_free(made);
  return status;
}

deer_status deer_net_new(const deer_net_spec *spec, const deer_space *space, int n_outputs,
                         deer_net **net) {
  return deer_net_new_heads(spec, space, &(deer_net_head){.name = "output", .units = n_outputs}, 1,
                            net);
}

void deer_net_free(deer_net *net) { deer_free(net); }

void deer_net_normalize(deer_net *net, const deer_normalizer *normalizer) {
  net->normalizer = normalizer;
}

deer_rng *deer_net_noise(deer_net *net) { return &net->noise; }

int deer_net_size(const deer_net *net) { return net->size; }

int deer_net_memory_at(const deer_net *net, int i) {
  return i >= 0 && i < net->n_memories ? net->memories[i] : 0;
}

bool deer_net_slot_at(const deer_net *net, int i, deer_net_slot *slot) {
  if (i < 0 || i >= net->n_slots) return false;
  *slot = net->slots[i];
  return true;
}

void deer_net_init(deer_net *net, deer_rng *rng, deer_real *parameters) {
  net->noise = deer_rng_split(rng, "noise");
  for (int i = 0; i < net->n_slots; i++) {
    const deer_net_slot *slot = &net->slots[i];
    deer_init_draw(&slot->init, &slot->shape, rng, parameters + slot->offset);
  }
}
