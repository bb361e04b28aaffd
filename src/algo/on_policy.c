/* on_policy.c: networks and programs of the algorithms that learn from their own actions. */
#include "algo/on_policy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POLICY, VALUE, HEADS };
static const char *const head_names[] = {"policy", "value"};

/* ---- the network ---- */

static deer_status set(deer_layer_spec *layer, const char *option, double number,
                       const char *text) {
  return deer_layer_set(layer, option,
                        (deer_value){text ? DEER_VALUE_TEXT : DEER_VALUE_NUMBER, number, text});
}

static deer_status orthogonal(deer_layer_spec *layer, double gain) {
  DEER_TRY(set(layer, "init", 0, "orthogonal"));
  return set(layer, "gain", gain, NULL);
}

static deer_status add_dense(deer_layer_list *list) {
  deer_layer_spec *layer = deer_layer_add(list, "dense");
  if (!layer) return DEER_EINVAL;
  DEER_TRY(set(layer, "units", 64, NULL));
  DEER_TRY(set(layer, "activation", 0, "tanh"));
  return orthogonal(layer, sqrt(2));
}

/* what looks at frames and histories is DeeR's */
static deer_status default_net(const deer_space *space, deer_net_spec *spec) {
  DEER_TRY(deer_net_default("deer", space, spec));
  spec->trunk.n = 0;
  DEER_TRY(add_dense(&spec->trunk));
  return add_dense(&spec->trunk);
}

static deer_head_spec *head_layers(deer_net_spec *spec, int head) {
  for (int i = 0; i < spec->n_heads; i++)
    if (strcmp(spec->heads[i].name, head_names[head]) == 0) return &spec->heads[i];
  if (spec->n_heads == DEER_MAX_HEADS) return NULL;
  deer_head_spec *made = &spec->heads[spec->n_heads++];
  *made = (deer_head_spec){0};
  strcpy(made->name, head_names[head]);
  return made;
}

/* every head begins with a trunk of its own */
static deer_status separate(deer_net_spec *spec) {
  for (int i = 0; i < HEADS; i++) {
    deer_head_spec *head = head_layers(spec, i);
    const int n = spec->trunk.n;
    if (!head || head->layers.n + n > DEER_MAX_LAYERS)
      return deer_fail(DEER_EINVAL, "the trunk and head '%s' have more than %d layers",
                       head_names[i], DEER_MAX_LAYERS);
    deer_layer_spec *layers = head->layers.layers;
    memmove(layers + n, layers, (size_t)head->layers.n * sizeof *layers);
    memcpy(layers, spec->trunk.layers, (size_t)n * sizeof *layers);
    head->layers.n += n;
  }
  spec->trunk.n = 0;
  return DEER_OK;
}

static deer_status make_net(deer_on_policy *op, const deer_net_spec *given) {
  const deer_space *space = &op->base.space;
  deer_net_spec spec;
  deer_layer_spec last[HEADS];
  if (given)
    spec = *given;
  else
    DEER_TRY(default_net(space, &spec));
  if (!op->shared) DEER_TRY(separate(&spec));
  for (int i = 0; i < HEADS; i++) {
    DEER_TRY(deer_output_make("dense", &last[i]));
    DEER_TRY(orthogonal(&last[i], i == POLICY ? 0.01 : 1));
  }
  const deer_net_head heads[] = {
      {head_names[POLICY], deer_actor_outputs(&space->actions), 0, &last[POLICY]},
      {head_names[VALUE], 1, 0, &last[VALUE]}};
  DEER_TRY(deer_net_new_heads(&spec, space, heads, HEADS, &op->net));
  deer_net_normalize(op->net, op->base.normalizer);
  return DEER_OK;
}

static deer_status make_parameters(deer_on_policy *op, const deer_rng *rng) {
  const int of_net = deer_net_size(op->net);
  op->n_parameters = of_net + deer_actor_parameters(&op->base.space.actions);
  op->parameters = deer_alloc_array((size_t)op->n_parameters, sizeof *op->parameters);
  if (!op->parameters) return DEER_ENOMEM;
  deer_rng draws = deer_rng_split(rng, "network");
  deer_net_init(op->net, &draws, op->parameters);
  for (int i = of_net; i < op->n_parameters; i++)
    op->parameters[i] = (deer_real)log(op->initial_std);
  return deer_opt_new(deer_opt_at(op->update_rule), NULL, 0, op->n_parameters, &op->opt);
}

/* ---- describing ---- */

static deer_node parameters(deer_on_policy *op, deer_graph *g) {
  return deer_variable(g, "parameters", op->parameters, op->n_parameters);
}

/* what the network says of states: a policy, and their values [batch] */
static deer_actor apply(const deer_on_policy *op, deer_graph *g, deer_node block,
                        const deer_node *states, deer_node *v) {
  const deer_action_space *actions = &op->base.space.actions;
  const int n = deer_actor_parameters(actions);
  deer_node said[HEADS];
  deer_net_call call = {.block = block, .states = states};
  deer_net_apply_heads(op->net, g, &call, said);
  *v = deer_reshape(g, said[VALUE], DEER_SHAPE(deer_node_shape(g, said[VALUE]).dim[0]));
  deer_actor actor = {.actions = actions, .outputs = said[POLICY]};
  if (n > 0) actor.log_std = deer_view(g, block, op->n_parameters - n, DEER_SHAPE(n));
  return actor;
}

/* ---- the programs that act ---- */

static deer_status describe_acting(deer_on_policy *op, deer_graph *g, int rows,
                                   deer_onp_acting *acting) {
  const deer_space *space = &op->base.space;
  const bool valued = acting == &op->valued[0] || acting == &op->valued[1];
  const bool drawn = acting == &op->drawn[0] || acting == &op->drawn[1];
  deer_node states[DEER_MAX_SUBJECTS], outputs[2];
  deer_algo_states(space, g, "state", rows, states);
  const deer_actor actor = apply(op, g, parameters(op, g), states, &outputs[1]);
  outputs[0] = acting == &op->told ? actor.outputs
               : drawn             ? deer_actor_drawn(&actor, g, &op->noise)
                                   : deer_actor_best(&actor, g);
  DEER_TRY(deer_compile(g, outputs, valued ? 2 : 1, &acting->program));
  for (int s = 0; s < space->n_subjects; s++)
    acting->state[s] = deer_program_data(acting->program, states[s]);
  acting->action = deer_program_data(acting->program, outputs[0]);
  if (valued) acting->value = deer_program_data(acting->program, outputs[1]);
  acting->rows = rows;
  return DEER_OK;
}

/* makes the program, unless it is there for so many rows */
static deer_status ready_acting(deer_on_policy *op, int rows, deer_onp_acting *acting) {
  if (acting->rows == rows) return DEER_OK;
  deer_program_free(acting->program);
  *acting = (deer_onp_acting){0};
  deer_graph *g = deer_graph_new();
  deer_status status = g ? describe_acting(op, g, rows, acting) : DEER_ENOMEM;
  deer_graph_free(g);
  return status;
}

static deer_status build_acting(deer_on_policy *op) {
  DEER_TRY(ready_acting(op, 1, &op->best[0]));
  DEER_TRY(ready_acting(op, 1, &op->valued[0]));
  return ready_acting(op, 1, &op->drawn[0]);
}

static deer_status run_program(deer_on_policy *op, deer_onp_acting *a, int n,
                               const void *const *state) {
  const deer_space *space = &op->base.space;
  DEER_TRY(ready_acting(op, n, a));
  for (int s = 0; s < space->n_subjects; s++) {
    const deer_subject *subject = &space->subjects[s];
    size_t bytes = deer_history_bytes(subject);
    memcpy(a->state[s], state[s], (size_t)n * bytes);
  }
  deer_program_run(a->program);
  return DEER_OK;
}

/* runs one of a pair of programs; acting[0] is there, acting[1] is made when it is needed */
static deer_status run_acting(deer_on_policy *op, deer_onp_acting acting[2], int n,
                              const void *const *state, deer_real *action) {
  DEER_TRY(run_program(op, &acting[n > 1], n, state));
  deer_actor_decode(&op->base.space.actions, acting[n > 1].action, n, action);
  return DEER_OK;
}

deer_status deer_onp_act_rows(deer_algo *self, int n, const void *const *state, deer_real *action,
                              double *value) {
  deer_on_policy *op = (deer_on_policy *)self;
  DEER_TRY(run_acting(op, value ? op->valued : op->best, n, state, action));
  for (int i = 0; value && i < n; i++) value[i] = (double)op->valued[n > 1].value[i];
  return DEER_OK;
}

deer_status deer_onp_explore_rows(deer_algo *self, int n, const void *const *state, deer_rng *rng,
                                  deer_real *action) {
  deer_on_policy *op = (deer_on_policy *)self;
  op->noise = *rng;
  deer_status status = run_acting(op, op->drawn, n, state, action);
  *rng = op->noise;
  return status;
}

deer_status deer_onp_act(deer_algo *self, const void *const *state, deer_real *action,
                         double *value) {
  return deer_onp_act_rows(self, 1, state, action, value);
}

deer_status deer_onp_explore(deer_algo *self, const void *const *state, deer_rng *rng,
                             deer_real *action) {
  return deer_onp_explore_rows(self, 1, state, rng, action);
}

deer_status deer_onp_distribution(deer_algo *self, const void *const *state, deer_real *numbers) {
  deer_on_policy *op = (deer_on_policy *)self;
  DEER_TRY(run_program(op, &op->told, 1, state));
  const deer_real *log_std = op->parameters + deer_net_size(op->net);
  deer_actor_tell(&self->space.actions, op->told.action, log_std, numbers);
  return DEER_OK;
}

/* ---- the programs that learn ---- */

typedef struct learning {
  deer_on_policy *op;
  deer_graph *g;
  int rows;
  deer_node states[DEER_MAX_SUBJECTS], action, block;
  deer_node weight; /* [rows], of the samples in a mean */
  deer_onp_graph u;
  deer_node loss, value_loss, divergence; /* means */
  deer_node outputs[DEER_OPT_ASSIGNS + 4];
  int n_outputs;
} learning;

static deer_node mean(learning *l, deer_node x) {
  return deer_sum(l->g, deer_mul(l->g, x, l->weight), DEER_ALL_AXES);
}

static deer_node column(learning *l, const char *name) {
  return deer_input(l->g, name, DEER_DTYPE_REAL, DEER_SHAPE(l->rows));
}

static deer_actor describe_samples(learning *l) {
  deer_on_policy *op = l->op;
  deer_algo_states(&op->base.space, l->g, "state", l->rows, l->states);
  l->action = deer_actor_input(&op->base.space.actions, l->g, l->rows);
  l->block = parameters(op, l->g);
  l->u = (deer_onp_graph){.op = op, .g = l->g};
  const deer_actor actor = apply(op, l->g, l->block, l->states, &l->u.v);
  l->u.log_prob = deer_actor_log_prob(&actor, l->g, l->action);
  return actor;
}

static deer_status describe_judge(learning *l) {
  describe_samples(l);
  l->outputs[l->n_outputs++] = l->u.log_prob;
  l->outputs[l->n_outputs++] = l->u.v;
  return DEER_OK;
}

static deer_status describe_values(learning *l) {
  describe_samples(l);
  l->outputs[l->n_outputs++] = l->u.v;
  return DEER_OK;
}

static deer_status minimize(learning *l) {
  deer_on_policy *op = l->op;
  deer_node gradient, rate = deer_variable(l->g, "rate", &op->rate, 1);
  DEER_TRY(deer_gradients(l->g, l->loss, &l->block, 1, &gradient));
  if (op->clip_global_norm > 0) gradient = deer_clip_norm(l->g, gradient, op->clip_global_norm);
  l->n_outputs +=
      deer_opt_minimize(op->opt, l->g, l->block, gradient, rate, l->outputs + l->n_outputs);
  return DEER_OK;
}

static deer_status describe_update(learning *l) {
  deer_on_policy *op = l->op;
  deer_graph *g = l->g;
  const deer_actor actor = describe_samples(l);
  l->u.log_prob_old = column(l, "log_prob_old");
  l->u.v_old = column(l, "v_old");
  l->u.advantage = column(l, "advantage");
  l->u.target = column(l, "target");
  l->weight = column(l, "weight");
  const deer_onp_losses losses = op->losses(&l->u);
  deer_node policy =
      deer_entropy_bonus(g, losses.policy, deer_actor_entropy(&actor, g), op->entropy_coefficient);
  l->loss = mean(l, policy);
  l->value_loss = losses.value.id ? mean(l, losses.value) : deer_constant(g, DEER_SCALAR, 0);
  if (losses.value.id)
    l->loss = deer_add(g, l->loss, deer_scale(g, l->value_loss, op->value_coefficient));
  l->divergence = mean(l, deer_approximate_kl(g, l->u.log_prob, l->u.log_prob_old));
  DEER_TRY(minimize(l));
  l->outputs[l->n_outputs++] = l->loss;
  l->outputs[l->n_outputs++] = l->value_loss;
  l->outputs[l->n_outputs++] = l->divergence;
  return DEER_OK;
}

/* the memory of a node in the program; NULL also for none */
static void *place(const deer_onp_program *p, deer_node node) {
  return node.id ? deer_program_data(p->program, node) : NULL;
}

static deer_status compile(learning *l, deer_onp_program *p) {
  deer_on_policy *op = l->op;
  DEER_TRY(deer_compile(l->g, l->outputs, l->n_outputs, &p->program));
  p->batch = (deer_batch){.size = l->rows, .index = op->rows};
  for (int s = 0; s < op->base.space.n_subjects; s++) p->batch.obs_tm1[s] = place(p, l->states[s]);
  p->action = place(p, l->action);
  if (deer_actions_kind(&op->base.space.actions) == DEER_ACTIONS_DISCRETE)
    p->batch.a_tm1 = p->action;
  else
    p->batch.action_tm1 = op->actions;
  p->advantage = place(p, l->u.advantage);
  p->target = place(p, l->u.target);
  p->log_prob_old = place(p, l->u.log_prob_old);
  p->v_old = place(p, l->u.v_old);
  p->sample_weight = place(p, l->weight);
  p->log_prob = place(p, l->u.log_prob);
  p->v = place(p, l->u.v);
  p->loss = place(p, l->loss);
  p->value_loss = place(p, l->value_loss);
  p->divergence = place(p, l->divergence);
  return DEER_OK;
}

static deer_status build(deer_on_policy *op, deer_status (*describe)(learning *l), int64_t rows,
                         deer_onp_program *p) {
  learning l = {.op = op, .g = deer_graph_new(), .rows = (int)rows};
  if (!l.g) return DEER_ENOMEM;
  deer_status status = describe(&l);
  if (status == DEER_OK) status = compile(&l, p);
  deer_graph_free(l.g);
  return status;
}

static void free_learning(deer_on_policy *op) {
  deer_program_free(op->judge.program);
  deer_program_free(op->values.program);
  deer_program_free(op->update.program);
  op->judge = op->values = op->update = (deer_onp_program){0};
  deer_free(op->actions);
  deer_free(op->rows);
  op->actions = NULL;
  op->rows = NULL;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static deer_status make_learning(deer_on_policy *op) {
  const int64_t room = op->rollout.room, rows = least(op->batch_size, room);
  const size_t most = (size_t)(rows > DEER_ONP_JUDGED ? rows : DEER_ONP_JUDGED);
  free_learning(op);
  op->actions = deer_alloc_array(most * (size_t)op->base.space.actions.size, sizeof *op->actions);
  op->rows = deer_alloc_array(most, sizeof *op->rows);
  if (!op->actions || !op->rows) return DEER_ENOMEM;
  DEER_TRY(build(op, describe_judge, least(DEER_ONP_JUDGED, room), &op->judge));
  DEER_TRY(build(op, describe_values, least(DEER_ONP_CUTS, room), &op->values));
  return build(op, describe_update, rows, &op->update);
}

deer_status deer_onp_prepare(deer_on_policy *op, const deer_replay *replay) {
  bool fresh;
  DEER_TRY(deer_rollout_prepare(&op->rollout, replay, op->horizon, &fresh));
  if (!fresh && op->update.program) return DEER_OK;
  deer_status status = make_learning(op);
  if (status != DEER_OK) free_learning(op);
  return status;
}

/* ---- life ---- */

deer_status deer_onp_init(deer_on_policy *op, const deer_net_spec *net, const deer_rng *rng,
                          deer_onp_losses (*losses)(const deer_onp_graph *u)) {
  op->losses = losses;
  op->base.learning_rate = op->learning_rate;
  op->base.discount = op->discount;
  op->base.batch_size = op->batch_size;
  DEER_TRY(make_net(op, net));
  DEER_TRY(make_parameters(op, rng));
  return build_acting(op);
}

void deer_onp_finish(deer_algo *self) {
  deer_on_policy *op = (deer_on_policy *)self;
  for (int i = 0; i < 2; i++) {
    deer_program_free(op->best[i].program);
    deer_program_free(op->valued[i].program);
    deer_program_free(op->drawn[i].program);
  }
  deer_program_free(op->told.program);
  free_learning(op);
  deer_rollout_free(&op->rollout);
  deer_opt_free(op->opt);
  deer_free(op->parameters);
  deer_net_free(op->net);
}

int64_t deer_onp_horizon(const deer_algo *self) { return ((const deer_on_policy *)self)->horizon; }

void deer_onp_visit(deer_algo *self, void *context,
                    void (*visit)(void *context, const char *name, const deer_shape *shape,
                                  deer_real *data)) {
  deer_on_policy *op = (deer_on_policy *)self;
  const int of_net = deer_net_size(op->net), more = op->n_parameters - of_net;
  deer_net_slot slot;
  deer_real *data;
  int size;
  char name[32];
  self->updates = deer_algo_read_count(op->updates);
  for (int i = 0; deer_net_slot_at(op->net, i, &slot); i++)
    visit(context, slot.name, &slot.shape, op->parameters + slot.offset);
  if (more > 0) visit(context, "log_std", &DEER_SHAPE(more), op->parameters + of_net);
  for (int i = 0; (data = deer_opt_state(op->opt, i, &size)) != NULL; i++) {
    snprintf(name, sizeof name, "optimizer.%d", i);
    visit(context, name, &DEER_SHAPE(size), data);
  }
  visit(context, "updates", &DEER_SHAPE(2), op->updates);
}

deer_status deer_onp_done(deer_on_policy *op, double *loss) {
  deer_algo_write_count(++op->base.updates, op->updates);
  *loss = sqrt(op->squares / (double)op->n_steps);
  return DEER_OK;
}
