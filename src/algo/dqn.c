/* dqn.c: the deep Q-network. Mnih et al. 2015, doi:10.1038/nature14236; double Q-learning: van
 * Hasselt, Guez and Silver 2016, arXiv:1509.06461. Losses and update rules as DeeR has them. What
 * the network says, values or distributions of returns, is in dqn_value.c, what is computed from it
 * in dqn_graph.c. From a prioritised replay, samples count by their importance and get their errors
 * for priorities.
 *
 * Each update draws a batch, copies the online network to the target network every freeze_interval
 * updates (before the update, so at the first one too), and takes one optimiser step on the loss of
 * the temporal-difference errors. With `tau` the target network follows at every update instead.
 *
 * Skills are earlier parameters of the network, kept for what it could do then: see dqn.h. */
#include "algo/dqn.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(deer_dqn, member)
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
     .help = "the rmsprop rules divide by sqrt(s + epsilon), not sqrt(s) + epsilon"},
    {"momentum", DEER_FIELD_REAL, AT(momentum), .fallback = 0, .min = 0, .max = 0.9999,
     .help = "of the sgd and rmsprop rules", .search_min = 0, .search_max = 0.99},
    {"clip_delta", DEER_FIELD_REAL, AT(clip_delta), .fallback = 0, .min = 0, .max = 1e9,
     .help = "Huber threshold of the error; 0: squared error, of quantiles absolute",
     .search_min = 0.1, .search_max = 10},
    DEER_CLIPPING_FIELDS(deer_dqn),
    DEER_NORMALIZING_FIELDS,
    {"batch_accumulator", DEER_FIELD_CHOICE, AT(batch_accumulator), .fallback = DEER_DQN_SUM,
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
    {"skills", DEER_FIELD_INT, AT(n_skills), .fallback = 0, .min = 0, .max = DEER_DQN_SKILLS,
     .help = "how many earlier networks it may be kept near to, by a SkillKeeperController"},
    {0}};

/* ---- life ---- */

static deer_option number_option(const char *name, double number) {
  return (deer_option){name, {DEER_VALUE_NUMBER, number, NULL}};
}

static deer_status make_optimiser(deer_dqn *d) {
  const deer_opt_class *rule = deer_opt_at(d->update_rule);
  bool rms = strstr(rule->name, "rmsprop") != NULL;
  deer_option options[4];
  int n = 0;
  if (rms) {
    options[n++] = number_option("rho", d->rho);
    options[n++] = number_option("epsilon", d->rms_epsilon);
    options[n++] = (deer_option){"epsilon_inside", {DEER_VALUE_BOOL, d->epsilon_inside_sqrt, NULL}};
  }
  if (d->momentum > 0) options[n++] = number_option("momentum", d->momentum);
  return deer_opt_new(rule, options, n, deer_net_size(d->net), &d->opt);
}

/* says what there is no memory for */
static deer_status too_large(const deer_dqn *d, deer_status status) {
  if (status != DEER_ENOMEM) return status;
  return deer_fail(status, "a network of %d parameters and a batch of %lld samples: %s",
                   deer_net_size(d->net), (long long)d->batch_size, deer_error());
}

/* options that contradict each other */
static deer_status check(const deer_dqn *d) {
  if (d->value.distribution == DEER_DQN_VALUES) return DEER_OK;
  if (d->batch_accumulator == DEER_DQN_MEAN_OUTPUTS)
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
  deer_dqn *d = (deer_dqn *)self;
  deer_net_spec fallback;
  DEER_TRY(check(d));
  if (!net) DEER_TRY(deer_net_default("deer", &self->space, &fallback));
  DEER_TRY(deer_dqn_value_net(&d->value, net ? net : &fallback, &self->space, &d->net));
  deer_net_normalize(d->net, self->normalizer);
  size_t size = (size_t)deer_net_size(d->net);
  d->online = deer_alloc_array(size, sizeof *d->online);
  d->target = deer_alloc_array(size, sizeof *d->target);
  d->index = deer_alloc_array((size_t)d->batch_size, sizeof *d->index);
  if (d->n_skills > 0) d->skills = deer_alloc_array((size_t)d->n_skills * size, sizeof *d->skills);
  if (d->n_skills > 0 && !d->skills) return too_large(d, DEER_ENOMEM);
  if (!d->online || !d->target || !d->index) return too_large(d, DEER_ENOMEM);
  self->learning_rate = d->learning_rate;
  self->discount = d->discount;
  self->batch_size = d->batch_size;
  deer_status status = make_optimiser(d);
  if (status == DEER_OK) status = deer_dqn_make_acting(d, &d->act, 1, false);
  if (status == DEER_OK && d->value.noisy) status = deer_dqn_make_acting(d, &d->explore, 1, true);
  if (status == DEER_OK) status = deer_dqn_make_update(d);
  if (status != DEER_OK) return too_large(d, status);
  /* last, since a large network takes a while */
  deer_rng draws = deer_rng_split(rng, "network");
  deer_net_init(d->net, &draws, d->online);
  memcpy(d->target, d->online, size * sizeof *d->online);
  return DEER_OK;
}

static void finish(deer_algo *self) {
  deer_dqn *d = (deer_dqn *)self;
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
  deer_free(d->skills);
}

/* ---- acting ---- */

static void run_acting(const deer_dqn *d, const deer_dqn_acting *a, const void *const *state) {
  for (int s = 0; s < d->base.space.n_subjects; s++) {
    const deer_subject *subject = &d->base.space.subjects[s];
    size_t bytes = deer_history_bytes(subject);
    memcpy(a->state[s], state[s], (size_t)a->rows * bytes);
  }
  deer_program_run(a->program);
}

static void best_rows(const deer_dqn_acting *a, deer_real *action, double *value) {
  for (int i = 0; i < a->rows; i++) action[i] = (deer_real)a->best[i];
  for (int i = 0; i < a->rows && value; i++) value[i] = (double)a->best_value[i];
}

static deer_status act_rows(deer_algo *self, int n, const void *const *state, deer_real *action,
                            double *value) {
  deer_dqn *d = (deer_dqn *)self;
  deer_dqn_acting *a = n == 1 ? &d->act : &d->act_rows;
  DEER_TRY(deer_dqn_make_acting(d, a, n, false));
  run_acting(d, a, state);
  best_rows(a, action, value);
  return DEER_OK;
}

static deer_status act(deer_algo *self, const void *const *state, deer_real *action,
                       double *value) {
  return act_rows(self, 1, state, action, value);
}

static deer_status explores(const deer_algo *self) {
  if (((const deer_dqn *)self)->value.noisy) return DEER_OK;
  return deer_fail(DEER_EINVAL, "dqn draws actions when its network is noisy: expected the "
                                "option 'noisy' or another policy");
}

/* the best actions under weights drawn for this moment, which is how noisy networks explore */
static deer_status explore_rows(deer_algo *self, int n, const void *const *state, deer_rng *rng,
                                deer_real *action) {
  deer_dqn *d = (deer_dqn *)self;
  (void)rng; /* the network has a stream of its own */
  DEER_TRY(explores(self));
  deer_dqn_acting *a = n == 1 ? &d->explore : &d->explore_rows;
  DEER_TRY(deer_dqn_make_acting(d, a, n, true));
  run_acting(d, a, state);
  best_rows(a, action, NULL);
  return DEER_OK;
}

static deer_status explore(deer_algo *self, const void *const *state, deer_rng *rng,
                           deer_real *action) {
  return explore_rows(self, 1, state, rng, action);
}

static deer_status values(deer_algo *self, const void *const *state, deer_real *q) {
  const deer_dqn *d = (deer_dqn *)self;
  run_acting(d, &d->act, state);
  memcpy(q, d->act.values, (size_t)self->space.actions.n * sizeof *q);
  return DEER_OK;
}

/* ---- learning ---- */

/* one step on the batch in the program's inputs */
static deer_status step(deer_dqn *d, double *loss) {
  deer_algo *self = &d->base;
  if (d->tau == 0 && self->updates % d->freeze_interval == 0)
    memcpy(d->target, d->online, (size_t)deer_net_size(d->net) * sizeof *d->online);
  d->rate = (deer_real)self->learning_rate;
  d->gamma = (deer_real)self->discount;
  deer_program_run(d->update);
  self->updates++;
  *loss = sqrt((double)*d->update_loss);
  if (isfinite(*loss)) return DEER_OK;
  return deer_algo_diverged(self, *loss, self->updates);
}

static deer_status learn(deer_algo *self, deer_replay *replay, deer_rng *rng, double *loss) {
  deer_dqn *d = (deer_dqn *)self;
  d->batch.discount = self->discount;
  DEER_TRY(deer_replay_sample(replay, rng, &d->batch));
  DEER_TRY(step(d, loss));
  return deer_replay_update(replay, d->batch.size, d->index, d->update_td);
}

static deer_status train(deer_algo *self, const deer_batch *batch, double *loss,
                         deer_real *losses) {
  deer_dqn *d = (deer_dqn *)self;
  size_t n = (size_t)d->batch.size;
  if (batch->size != d->batch.size)
    return deer_fail(DEER_EINVAL, "expected a batch of %d samples, got %d", d->batch.size,
                     batch->size);
  for (int s = 0; s < self->space.n_subjects; s++) {
    const deer_subject *subject = &self->space.subjects[s];
    size_t bytes = n * deer_history_bytes(subject);
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
  deer_dqn *d = (deer_dqn *)self;
  deer_net_slot slot;
  char name[96], of[16];
  for (int copy = 0; copy < 2 + (int)d->n_skills; copy++) {
    deer_real *block = copy == 0 ? d->online : d->target;
    snprintf(of, sizeof of, "%s", copy == 0 ? "q" : "target");
    if (copy > 1) {
      block = d->skills + (size_t)(copy - 2) * (size_t)deer_net_size(d->net);
      snprintf(of, sizeof of, "skill%d", copy - 2);
    }
    for (int i = 0; deer_net_slot_at(d->net, i, &slot); i++) {
      snprintf(name, sizeof name, "%s.%s", of, slot.name);
      visitor(context, name, &slot.shape, block + slot.offset);
    }
  }
  const deer_shape weights = DEER_SHAPE((int)d->n_skills);
  if (d->n_skills > 0) visitor(context, "skill_weight", &weights, d->skill_weight);
}

const deer_algo_class deer_algo_dqn = {
    .abi = DEER_ALGO_ABI,
    .name = "dqn",
    .paper =
        "Mnih et al. 2015, doi:10.1038/nature14236; van Hasselt et al. 2016, arXiv:1509.06461; "
        "Wang et al. 2016, arXiv:1511.06581; Bellemare et al. 2017, arXiv:1707.06887; Dabney et "
        "al. 2018, arXiv:1710.10044; Fortunato et al. 2018, arXiv:1706.10295",
    .help = "deep Q-network with experience replay and a target network; optionally double, "
            "dueling, noisy, over distributions of returns",
    .caps = DEER_ALGO_DISCRETE,
    .size = sizeof(deer_dqn),
    .fields = fields,
    .init = init,
    .act = act,
    .explore = explore,
    .act_rows = act_rows,
    .explore_rows = explore_rows,
    .explores = explores,
    .values = values,
    .learn = learn,
    .train = train,
    .visit = visit,
    .finish = finish};
