/* dqn.c: the deep Q-network. Mnih et al. 2015, doi:10.1038/nature14236; double Q-learning: van
 * Hasselt, Guez and Silver 2016, arXiv:1509.06461. Losses and update rules as DeeR has them. What
 * the network says, values or distributions of returns, is in dqn_value.c. From a prioritised
 * replay, samples count by their importance and get their errors for priorities.
 *
 * Each update draws a batch, copies the online network to the target network every freeze_interval
 * updates (before the update, so at the first one too), and takes one optimiser step on the loss of
 * the temporal-difference errors. With `tau` the target network follows at every update instead. */
#include "algo/dqn_value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* states in, the values of their actions out */
typedef struct acting {
  int rows; /* states */
  bool noise;
  deer_program *program;
  void *state[DEER_MAX_SUBJECTS];
  const deer_real *values, *best_value;
  const int32_t *best;
} acting;

typedef struct dqn {
  deer_algo base;

  /* options */
  int64_t batch_size, freeze_interval, n_step;
  double learning_rate, discount, tau, rho, rms_epsilon, momentum, clip_delta;
  deer_clipping clipping;
  int update_rule, batch_accumulator;
  bool double_q, epsilon_inside_sqrt;
  deer_dqn_value value;

  /* networks */
  deer_net *net;
  deer_real *online, *target;
  deer_opt *opt;

  acting act, explore;           /* without noise and, in noisy networks, with */
  acting act_rows, explore_rows; /* the same in several states at once */

  /* one batch in, new parameters and the loss out */
  deer_program *update;
  deer_batch batch;
  int64_t *index; /* of the samples in it */
  const deer_real *update_loss, *update_losses, *update_td;
  deer_real rate, gamma; /* read by the update program */
} dqn;

enum { SUM, MEAN, MEAN_OUTPUTS };

#define AT(member) offsetof(dqn, member)
static const deer_field fields[] = {
    {"learning_rate", DEER_FIELD_REAL, AT(learning_rate), .fallback = 0.005, .min = 0, .max = 10,
     .help = "step size of the update rule", .search_min = 1e-5, .search_max = 1e-1},
    {"discount", DEER_FIELD_REAL, AT(discount), .fallback = 0.9, .min = 0, .max = 1,
     .help = "gamma, the weight of the next reward", .search_min = 0.8, .search_max = 0.999},
    {"batch_size", DEER_FIELD_INT, AT(batch_size), .fallback = 32, .min = 1, .max = 65536,
     .help = "samples per update", .search_min = 16, .search_max = 256},
    {"freeze_interval", DEER_FIELD_INT, AT(freeze_interval), .fallback = 1000, .min = 1,
     .max = 1e12, .help = "updates between copies to the target network", .search_min = 10,
     .search_max = 10000},
    {"n_step", DEER_FIELD_INT, AT(n_step), .fallback = 1, .min = 1, .max = 1000,
     .help = "rewards summed before the value of the state reached", .search_min = 1,
     .search_max = 10},
    {"tau", DEER_FIELD_REAL, AT(tau), .fallback = 0, .min = 0, .max = 1,
     .help = "share of the way that the target network goes at each update; 0: it is copied every "
             "freeze_interval updates",
     .search_min = 1e-3, .search_max = 1e-1},
    {"update_rule", DEER_FIELD_CHOICE, AT(update_rule), .fallback = 1, .choices = DEER_OPT_CHOICES,
     .help = "optimiser"},
    {"rho", DEER_FIELD_REAL, AT(rho), .fallback = 0.9, .min = 0, .max = 0.999999,
     .help = "decay of the rmsprop rules", .search_min = 0.8, .search_max = 0.999},
    {"rms_epsilon", DEER_FIELD_REAL, AT(rms_epsilon), .fallback = 1e-4, .min = 1e-16, .max = 10,
     .help = "epsilon of the rmsprop rules", .search_min = 1e-8, .search_max = 1e-2},
    {"epsilon_inside_sqrt", DEER_FIELD_BOOL, AT(epsilon_inside_sqrt), .fallback = 1,
     .help = "rmsprop divides by sqrt(s + epsilon), not sqrt(s) + epsilon"},
    {"momentum", DEER_FIELD_REAL, AT(momentum), .fallback = 0, .min = 0, .max = 0.9999,
     .help = "of the sgd and rmsprop rules", .search_min = 0, .search_max = 0.99},
    {"clip_delta", DEER_FIELD_REAL, AT(clip_delta), .fallback = 0, .min = 0, .max = 1e9,
     .help = "Huber threshold of the error; 0: squared error, of quantiles absolute",
     .search_min = 0.1, .search_max = 10},
    DEER_CLIPPING_FIELDS(dqn),
    DEER_NORMALIZING_FIELDS,
    {"batch_accumulator", DEER_FIELD_CHOICE, AT(batch_accumulator), .fallback = SUM,
     .choices = "sum|mean|mean_outputs",
     .help = "loss over a batch; mean_outputs: mean squared error over batch and actions"},
    {"double_q", DEER_FIELD_BOOL, AT(double_q), .fallback = 0,
     .help = "the online network chooses the action, the target network values it"},
    {"distribution", DEER_FIELD_CHOICE, AT(value.distribution), .fallback = 0,
     .choices = "none|categorical|quantile",
     .help = "learn the distribution of the return: probabilities of fixed values (C51), values of "
             "fixed probabilities (QR-DQN); none: its mean alone"},
    {"atoms", DEER_FIELD_INT, AT(value.atoms), .fallback = 51, .min = 2, .max = DEER_MAX_ATOMS,
     .help = "how many of them, for each action", .search_min = 11, .search_max = 201},
    {"v_min", DEER_FIELD_REAL, AT(value.v_min), .fallback = -10, .min = -1e9, .max = 1e9,
     .help = "lowest value of the categorical distribution"},
    {"v_max", DEER_FIELD_REAL, AT(value.v_max), .fallback = 10, .min = -1e9, .max = 1e9,
     .help = "highest value of the categorical distribution"},
    {"dueling", DEER_FIELD_BOOL, AT(value.dueling), .fallback = 0,
     .help = "the network ends with the value of the state and the advantages of the actions"},
    {"dueling_hidden", DEER_FIELD_INT, AT(value.dueling_hidden), .fallback = 0, .min = 0,
     .max = 65536, .help = "units of a layer for each of the two; 0: none", .search_min = 16,
     .search_max = 512},
    {"noisy", DEER_FIELD_BOOL, AT(value.noisy), .fallback = 0,
     .help = "noise on the weights of all dense layers, to explore by"},
    {"noisy_sigma", DEER_FIELD_REAL, AT(value.noisy_sigma), .fallback = 0.5, .min = 1e-6,
     .max = 100,
     .help = "initial deviation of that noise, times the square root of a layer's "
             "inputs",
     .search_min = 0.1, .search_max = 1},
    {0}};

/* ---- graphs ---- */

/* inputs [batch, history, shape...] for every subject */
static void state_inputs(const dqn *d, deer_graph *g, const char *name, int batch,
                         deer_node *states) {
  for (int s = 0; s < d->base.space.n_subjects; s++) {
    const deer_subject *subject = &d->base.space.subjects[s];
    char full[32];
    snprintf(full, sizeof full, "%s_%d", name, s);
    states[s] = deer_input(g, full, subject->dtype, deer_subject_batch(subject, batch));
  }
}

/* what the network says about states, with the noise of layers that have one or without */
static deer_node say(const dqn *d, deer_graph *g, const deer_net_call *call) {
  deer_node said = DEER_NONE;
  deer_net_apply_heads(d->net, g, call, &said);
  return said;
}

static deer_status build_acting(dqn *d, deer_graph *g, acting *a, int rows) {
  deer_node states[DEER_MAX_SUBJECTS], block;
  state_inputs(d, g, "state", rows, states);
  block = deer_variable(g, "online", d->online, deer_net_size(d->net));
  deer_net_call call = {.block = block, .states = states, .noise = a->noise};
  deer_node q = deer_dqn_value_mean(&d->value, g, say(d, g, &call));
  deer_node outputs[] = {q, deer_argmax_last(g, q), deer_max_last(g, q)};
  DEER_TRY(deer_compile(g, outputs, 3, &a->program));
  for (int s = 0; s < d->base.space.n_subjects; s++)
    a->state[s] = deer_program_data(a->program, states[s]);
  a->values = deer_program_data(a->program, outputs[0]);
  a->best = deer_program_data(a->program, outputs[1]);
  a->best_value = deer_program_data(a->program, outputs[2]);
  a->rows = rows;
  return DEER_OK;
}

/* compiles a program that acts, in place of the one that is there for another number of rows */
static deer_status make_acting(dqn *d, acting *a, int rows, bool noise) {
  if (a->rows == rows) return DEER_OK;
  deer_program_free(a->program);
  *a = (acting){.noise = noise};
  deer_graph *g = deer_graph_new();
  if (!g) return DEER_ENOMEM;
  deer_status status = build_acting(d, g, a, rows);
  deer_graph_free(g);
  return status;
}

/* the loss of each sample, given its temporal-difference error; [batch] */
static deer_node sample_losses(const dqn *d, deer_graph *g, deer_node td) {
  if (d->batch_accumulator == MEAN_OUTPUTS) return deer_square(g, td);
  return d->clip_delta > 0 ? deer_huber(g, td, d->clip_delta)
                           : deer_scale(g, deer_square(g, td), 0.5);
}

static deer_node batch_loss(const dqn *d, deer_graph *g, deer_node losses) {
  if (d->batch_accumulator == SUM) return deer_sum(g, losses, DEER_ALL_AXES);
  deer_node mean = deer_mean(g, losses, DEER_ALL_AXES);
  return d->batch_accumulator == MEAN ? mean : deer_scale(g, mean, 1.0 / d->base.space.actions.n);
}

typedef struct update_inputs {
  deer_node obs_tm1[DEER_MAX_SUBJECTS], obs_t[DEER_MAX_SUBJECTS], r_t, continue_t, weight;
  deer_transition transition;
} update_inputs;

static void make_inputs(dqn *d, deer_graph *g, update_inputs *in) {
  int batch = (int)d->batch_size;
  deer_shape shape = DEER_SHAPE(batch);
  state_inputs(d, g, "obs_tm1", batch, in->obs_tm1);
  state_inputs(d, g, "obs_t", batch, in->obs_t);
  in->transition.a_tm1 = deer_input(g, "a_tm1", DEER_DTYPE_I32, shape);
  in->r_t = deer_input(g, "r_t", DEER_DTYPE_REAL, shape);
  in->transition.r_t = deer_algo_rewards(&d->base, g, in->r_t);
  in->continue_t = deer_input(g, "continue_t", DEER_DTYPE_REAL, shape);
  in->weight = deer_input(g, "weight", DEER_DTYPE_REAL, shape);
  deer_node gamma = deer_reshape(g, deer_variable(g, "gamma", &d->gamma, 1), DEER_SCALAR);
  in->transition.discount_t = deer_mul(g, in->continue_t, deer_expand(g, gamma, shape, 0));
}

/* where the replay writes a batch */
static void bind_batch(dqn *d, const update_inputs *in) {
  deer_batch *b = &d->batch;
  b->size = (int)d->batch_size;
  for (int s = 0; s < d->base.space.n_subjects; s++) {
    b->obs_tm1[s] = deer_program_data(d->update, in->obs_tm1[s]);
    b->obs_t[s] = deer_program_data(d->update, in->obs_t[s]);
  }
  b->a_tm1 = deer_program_data(d->update, in->transition.a_tm1);
  b->r_t = deer_program_data(d->update, in->r_t);
  b->continue_t = deer_program_data(d->update, in->continue_t);
  b->weight = deer_program_data(d->update, in->weight);
  b->index = d->index;
  b->n_step = (int)d->n_step;
}

/* what a network says while learning */
static deer_node say_noisily(const dqn *d, deer_graph *g, deer_node block,
                             const deer_node *states) {
  return say(d, g, &(deer_net_call){.block = block, .states = states, .noise = true});
}

/* what an update is made of, and [batch] nodes that come out of it */
typedef struct objective {
  deer_node online, target;
  deer_node losses; /* of each sample */
  deer_node errors; /* what a prioritised replay ranks samples by */
} objective;

static void make_objective(const dqn *d, deer_graph *g, const update_inputs *in, objective *o) {
  deer_node tm1 = say_noisily(d, g, o->online, in->obs_tm1);
  deer_node t = say_noisily(d, g, o->target, in->obs_t);
  deer_node selector_t = d->double_q ? say_noisily(d, g, o->online, in->obs_t) : t;
  if (d->value.distribution == DEER_DQN_VALUES) {
    o->errors = deer_q_learning(g, tm1, &in->transition, t, selector_t);
    o->losses = sample_losses(d, g, o->errors);
    return;
  }
  /* distributions have no one difference: the loss takes its place, as in Rainbow (Hessel et al.
   * 2018, arXiv:1710.02298) */
  deer_node a_t = deer_argmax_last(g, deer_dqn_value_mean(&d->value, g, selector_t));
  const deer_dqn_step step = {.transition = &in->transition, .tm1 = tm1, .t = t, .a_t = a_t};
  o->losses = o->errors = deer_dqn_value_losses(&d->value, g, &step, d->clip_delta);
}

static deer_status build_update(dqn *d, deer_graph *g) {
  int size = deer_net_size(d->net);
  update_inputs in;
  make_inputs(d, g, &in);
  objective o = {.online = deer_variable(g, "online", d->online, size),
                 .target = deer_variable(g, "target", d->target, size)};
  make_objective(d, g, &in, &o);
  deer_node loss = batch_loss(d, g, deer_mul(g, o.losses, in.weight)), gradient;
  DEER_TRY(deer_gradients(g, loss, &o.online, 1, &gradient));
  gradient = deer_opt_clip(g, gradient, d->net, &d->clipping);

  deer_node outputs[DEER_OPT_ASSIGNS + 4], rate = deer_variable(g, "learning_rate", &d->rate, 1);
  int n = deer_opt_minimize(d->opt, g, o.online, gradient, rate, outputs);
  if (d->tau > 0) outputs[n++] = deer_soft_update(g, o.target, deer_opt_updated(d->opt), d->tau);
  outputs[n++] = loss;
  outputs[n++] = o.losses;
  outputs[n++] = o.errors;
  DEER_TRY(deer_compile(g, outputs, n, &d->update));
  bind_batch(d, &in);
  d->update_loss = deer_program_data(d->update, loss);
  d->update_losses = deer_program_data(d->update, o.losses);
  d->update_td = deer_program_data(d->update, o.errors);
  return DEER_OK;
}

/* ---- life ---- */

static deer_option number_option(const char *name, double number) {
  return (deer_option){name, {DEER_VALUE_NUMBER, number, NULL}};
}

static deer_status make_optimiser(dqn *d) {
  const deer_opt_class *rule = deer_opt_at(d->update_rule);
  bool rms = strstr(rule->name, "rmsprop") != NULL;
  deer_option options[4];
  int n = 0;
  if (rms) options[n++] = number_option("rho", d->rho);
  if (rms) options[n++] = number_option("epsilon", d->rms_epsilon);
  if (strcmp(rule->name, "rmsprop") == 0)
    options[n++] = (deer_option){"epsilon_inside", {DEER_VALUE_BOOL, d->epsilon_inside_sqrt, NULL}};
  if (d->momentum > 0) options[n++] = number_option("momentum", d->momentum);
  return deer_opt_new(rule, options, n, deer_net_size(d->net), &d->opt);
}

static deer_status with_graph(dqn *d, deer_status (*build)(dqn *d, deer_graph *g)) {
  deer_graph *g = deer_graph_new();
  if (!g) return DEER_ENOMEM;
  deer_status status = build(d, g);
  deer_graph_free(g);
  return status;
}

/* says what there is no memory for */
static deer_status too_large(const dqn *d, deer_status status) {
  if (status != DEER_ENOMEM) return status;
  return deer_fail(status, "a network of %d parameters and a batch of %lld samples: %s",
                   deer_net_size(d->net), (long long)d->batch_size, deer_error());
}

/* options that contradict each other */
static deer_status check(const dqn *d) {
  if (d->value.distribution == DEER_DQN_VALUES) return DEER_OK;
  if (d->batch_accumulator == MEAN_OUTPUTS)
    return deer_fail(DEER_EINVAL, "batch_accumulator 'mean_outputs' is a mean of squared errors, "
                                  "distributions have none: expected 'sum' or 'mean'");
  if (d->value.distribution == DEER_DQN_CATEGORICAL && d->clip_delta > 0)
    return deer_fail(DEER_EINVAL,
                     "option 'clip_delta' limits errors of values and quantiles, a "
                     "categorical distribution has none: expected 0, got %g",
                     d->clip_delta);
  return DEER_OK;
}

static deer_status init(deer_algo *self, const deer_net_spec *net, const deer_rng *rng) {
  dqn *d = (dqn *)self;
  deer_net_spec fallback;
  DEER_TRY(check(d));
  if (!net) DEER_TRY(deer_net_default("deer", &self->space, &fallback));
  DEER_TRY(deer_dqn_value_net(&d->value, net ? net : &fallback, &self->space, &d->net));
  deer_net_normalize(d->net, self->normalizer);
  size_t size = (size_t)deer_net_size(d->net);
  d->online = deer_alloc_array(size, sizeof *d->online);
  d->target = deer_alloc_array(size, sizeof *d->target);
  d->index = deer_alloc_array((size_t)d->batch_size, sizeof *d->index);
  if (!d->online || !d->target || !d->index) return too_large(d, DEER_ENOMEM);
  self->learning_rate = d->learning_rate;
  self->discount = d->discount;
  self->batch_size = d->batch_size;
  deer_status status = make_optimiser(d);
  if (status == DEER_OK) status = make_acting(d, &d->act, 1, false);
  if (status == DEER_OK && d->value.noisy) status = make_acting(d, &d->explore, 1, true);
  if (status == DEER_OK) status = with_graph(d, build_update);
  if (status != DEER_OK) return too_large(d, status);
  /* last, since a large network takes a while */
  deer_rng draws = deer_rng_split(rng, "network");
  deer_net_init(d->net, &draws, d->online);
  memcpy(d->target, d->online, size * sizeof *d->online);
  return DEER_OK;
}

static void finish(deer_algo *self) {
  dqn *d = (dqn *)self;
  deer_program_free(d->act.program);
  deer_program_free(d->explore.program);
  deer_program_free(d->act_rows.program);
  deer_program_free(d->explore_rows.program);
  deer_program_free(d->update);
  deer_opt_free(d->opt);
  deer_net_free(d->net);
  deer_free(d->index);
  deer_free(d->online);
  deer_free(d->target);
}

/* ---- acting ---- */

static void run_acting(const dqn *d, const acting *a, const void *const *state) {
  for (int s = 0; s < d->base.space.n_subjects; s++) {
    const deer_subject *subject = &d->base.space.subjects[s];
    size_t bytes = (size_t)subject->history * deer_subject_bytes(subject);
    memcpy(a->state[s], state[s], (size_t)a->rows * bytes);
  }
  deer_program_run(a->program);
}

static void best_rows(const acting *a, deer_real *action, double *value) {
  for (int i = 0; i < a->rows; i++) action[i] = (deer_real)a->best[i];
  for (int i = 0; i < a->rows && value; i++) value[i] = (double)a->best_value[i];
}

static deer_status act_rows(deer_algo *self, int n, const void *const *state, deer_real *action,
                            double *value) {
  dqn *d = (dqn *)self;
  acting *a = n == 1 ? &d->act : &d->act_rows;
  DEER_TRY(make_acting(d, a, n, false));
  run_acting(d, a, state);
  best_rows(a, action, value);
  return DEER_OK;
}

static deer_status act(deer_algo *self, const void *const *state, deer_real *action,
                       double *value) {
  return act_rows(self, 1, state, action, value);
}

/* the best actions under weights drawn for this moment, which is how noisy networks explore */
static deer_status explore_rows(deer_algo *self, int n, const void *const *state, deer_rng *rng,
                                deer_real *action) {
  dqn *d = (dqn *)self;
  (void)rng; /* the network has a stream of its own */
  if (!d->explore.program)
    return deer_fail(DEER_EINVAL, "dqn draws actions when its network is noisy: expected the "
                                  "option 'noisy' or another policy");
  acting *a = n == 1 ? &d->explore : &d->explore_rows;
  DEER_TRY(make_acting(d, a, n, true));
  run_acting(d, a, state);
  best_rows(a, action, NULL);
  return DEER_OK;
}

static deer_status explore(deer_algo *self, const void *const *state, deer_rng *rng,
                           deer_real *action) {
  return explore_rows(self, 1, state, rng, action);
}

static deer_status values(deer_algo *self, const void *const *state, deer_real *q) {
  const dqn *d = (dqn *)self;
  run_acting(d, &d->act, state);
  memcpy(q, d->act.values, (size_t)self->space.actions.n * sizeof *q);
  return DEER_OK;
}

/* ---- learning ---- */

/* one step on the batch in the program's inputs */
static deer_status step(dqn *d, double *loss) {
  deer_algo *self = &d->base;
  if (d->tau == 0 && self->updates % d->freeze_interval == 0)
    memcpy(d->target, d->online, (size_t)deer_net_size(d->net) * sizeof *d->online);
  d->rate = (deer_real)self->learning_rate;
  d->gamma = (deer_real)self->discount;
  deer_program_run(d->update);
  self->updates++;
  *loss = sqrt((double)*d->update_loss);
  if (isfinite(*loss)) return DEER_OK;
  return deer_fail(DEER_EDATA, "the loss became %g at update %lld (learning rate %g)", *loss,
                   (long long)self->updates, self->learning_rate);
}

static deer_status learn(deer_algo *self, deer_replay *replay, deer_rng *rng, double *loss) {
  dqn *d = (dqn *)self;
  d->batch.discount = self->discount;
  DEER_TRY(deer_replay_sample(replay, rng, &d->batch));
  DEER_TRY(step(d, loss));
  return deer_replay_update(replay, d->batch.size, d->index, d->update_td);
}

static deer_status train(deer_algo *self, const deer_batch *batch, double *loss,
                         deer_real *losses) {
  dqn *d = (dqn *)self;
  size_t n = (size_t)d->batch.size;
  if (batch->size != d->batch.size)
    return deer_fail(DEER_EINVAL, "expected a batch of %d samples, got %d", d->batch.size,
                     batch->size);
  for (int s = 0; s < self->space.n_subjects; s++) {
    const deer_subject *subject = &self->space.subjects[s];
    size_t bytes = n * (size_t)subject->history * deer_subject_bytes(subject);
    memcpy(d->batch.obs_tm1[s], batch->obs_tm1[s], bytes);
    memcpy(d->batch.obs_t[s], batch->obs_t[s], bytes);
  }
  memcpy(d->batch.a_tm1, batch->a_tm1, n * sizeof *batch->a_tm1);
  memcpy(d->batch.r_t, batch->r_t, n * sizeof *batch->r_t);
  memcpy(d->batch.continue_t, batch->continue_t, n * sizeof *batch->continue_t);
  for (size_t i = 0; i < n; i++) d->batch.weight[i] = batch->weight ? batch->weight[i] : 1;
  DEER_TRY(step(d, loss));
  if (losses) memcpy(losses, d->update_losses, n * sizeof *losses);
  return DEER_OK;
}

static void visit(deer_algo *self, void *context,
                  void (*visitor)(void *context, const char *name, const deer_shape *shape,
                                  deer_real *data)) {
  dqn *d = (dqn *)self;
  deer_net_slot slot;
  char name[80];
  for (int copy = 0; copy < 2; copy++)
    for (int i = 0; deer_net_slot_at(d->net, i, &slot); i++) {
      snprintf(name, sizeof name, "%s.%s", copy ? "target" : "q", slot.name);
      visitor(context, name, &slot.shape, (copy ? d->target : d->online) + slot.offset);
    }
}

const deer_algo_class deer_algo_dqn = {
    .abi = DEER_ALGO_ABI,
    .name = "dqn",
    .paper = "Mnih et al. 2015, doi:10.1038/nature14236; van Hasselt et al. 2016, arXiv:1509.06461",
    .help = "deep Q-network with experience replay and a target network; optionally double, "
            "dueling, noisy, over distributions of returns",
    .caps = DEER_ALGO_DISCRETE,
    .size = sizeof(dqn),
    .fields = fields,
    .init = init,
    .act = act,
    .explore = explore,
    .act_rows = act_rows,
    .explore_rows = explore_rows,
    .values = values,
    .learn = learn,
    .train = train,
    .visit = visit,
    .finish = finish};
