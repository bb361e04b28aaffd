/* actor_critic.c: networks, programs and life of the actor-critics for continuous actions. */
#include "algo/actor_critic.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- life ---- */

static deer_status add_dense(deer_layer_list *list, double units) {
  deer_layer_spec *layer = deer_layer_add(list, "dense");
  if (!layer) return DEER_EINVAL;
  return deer_layer_set(layer, "units", (deer_value){DEER_VALUE_NUMBER, units, NULL});
}

/* what looks at frames and histories is DeeR's */
static deer_status default_net(const deer_space *space, deer_net_spec *spec) {
  DEER_TRY(deer_net_default("deer", space, spec));
  spec->trunk.n = 0;
  DEER_TRY(add_dense(&spec->trunk, 64));
  return add_dense(&spec->trunk, 64);
}

/* of continuous actions, a critic observes the one it values */
static deer_status critic_space(const deer_space *space, deer_space *more) {
  *more = *space;
  if (space->n_subjects == DEER_MAX_SUBJECTS)
    return deer_fail(DEER_EINVAL, "%d subjects (expected at most %d, the action being one more)",
                     space->n_subjects, DEER_MAX_SUBJECTS - 1);
  more->subjects[more->n_subjects++] =
      (deer_subject){1, DEER_SHAPE(space->actions.size), DEER_DTYPE_REAL};
  return DEER_OK;
}

static deer_status make_part(deer_actor_critic *ac, deer_ac_part *part, bool slow,
                             const deer_rng *rng) {
  size_t size = (size_t)deer_net_size(part->net);
  part->online = deer_alloc_array(size, sizeof *part->online);
  if (slow) part->target = deer_alloc_array(size, sizeof *part->target);
  if (!part->online || (slow && !part->target)) return DEER_ENOMEM;
  deer_rng draws = deer_rng_split(rng, part->name);
  deer_net_init(part->net, &draws, part->online);
  if (slow) memcpy(part->target, part->online, size * sizeof *part->online);
  return deer_opt_new(deer_opt_at(ac->update_rule), NULL, 0, (int)size, &part->opt);
}

static void take_box(deer_actor_critic *ac) {
  const deer_action_space *actions = &ac->base.space.actions;
  for (int i = 0; i < actions->size; i++) {
    ac->middle[i] = (deer_real)(0.5 * (actions->low[i] + actions->high[i]));
    ac->half[i] = (deer_real)(0.5 * (actions->high[i] - actions->low[i]));
  }
}

static deer_status make_nets(deer_actor_critic *ac, const deer_ac_parts *parts,
                             const deer_net_spec *net) {
  const deer_space *space = &ac->base.space;
  deer_net_spec fallback;
  deer_space more;
  if (!net) DEER_TRY(default_net(space, &fallback));
  if (!net) net = &fallback;
  DEER_TRY(deer_net_new(net, space, parts->actor_outputs * space->actions.size, &ac->actor_net));
  if (space->actions.n > 0) {
    DEER_TRY(deer_net_new(net, space, space->actions.n, &ac->critic_net));
  } else {
    DEER_TRY(critic_space(space, &more));
    DEER_TRY(deer_net_new(net, &more, 1, &ac->critic_net));
  }
  deer_net_normalize(ac->actor_net, ac->base.normalizer);
  deer_net_normalize(ac->critic_net, ac->base.normalizer);
  return DEER_OK;
}

deer_status deer_ac_init(deer_actor_critic *ac, const deer_ac_parts *parts,
                         const deer_net_spec *net, const deer_rng *rng) {
  static const char *const names[] = {"critic1", "critic2"};
  take_box(ac);
  ac->base.learning_rate = ac->learning_rate;
  ac->base.discount = ac->discount;
  ac->base.batch_size = ac->batch_size;
  ac->index = deer_alloc_array((size_t)ac->batch_size, sizeof *ac->index);
  if (!ac->index) return DEER_ENOMEM;
  DEER_TRY(make_nets(ac, parts, net));
  ac->actor = (deer_ac_part){.name = "actor", .net = ac->actor_net};
  DEER_TRY(make_part(ac, &ac->actor, parts->slow_actor, rng));
  for (int i = 0; i < parts->n_critics; i++) {
    ac->critic[i] = (deer_ac_part){.name = names[i], .net = ac->critic_net};
    ac->n_critics++;
    DEER_TRY(make_part(ac, &ac->critic[i], true, rng));
  }
  return DEER_OK;
}

static void free_part(deer_ac_part *part) {
  deer_free(part->online);
  deer_free(part->target);
  deer_opt_free(part->opt);
}

void deer_ac_finish(deer_algo *self) {
  deer_actor_critic *ac = (deer_actor_critic *)self;
  deer_program_free(ac->best.program);
  deer_program_free(ac->valued.program);
  deer_program_free(ac->drawn.program);
  deer_program_free(ac->best_rows.program);
  deer_program_free(ac->valued_rows.program);
  deer_program_free(ac->drawn_rows.program);
  deer_program_free(ac->told.program);
  for (int i = 0; i < 2; i++) deer_program_free(ac->update[i].program);
  for (int i = 0; i < 2; i++) free_part(&ac->critic[i]);
  free_part(&ac->actor);
  deer_net_free(ac->actor_net);
  deer_net_free(ac->critic_net);
  deer_free(ac->index);
}

/* ---- parameters ---- */

typedef void visitor(void *context, const char *name, const deer_shape *shape, deer_real *data);

static void visit_net(const deer_ac_part *part, const char *prefix, deer_real *block, void *context,
                      visitor *visit) {
  deer_net_slot slot;
  char name[96];
  for (int i = 0; block && deer_net_slot_at(part->net, i, &slot); i++) {
    snprintf(name, sizeof name, "%s%s.%s", prefix, part->name, slot.name);
    visit(context, name, &slot.shape, block + slot.offset);
  }
}

void deer_ac_visit_opt(deer_opt *opt, const char *name, void *context, visitor *visit) {
  char full[96];
  int size;
  deer_real *data;
  for (int i = 0; (data = deer_opt_state(opt, i, &size)) != NULL; i++) {
    snprintf(full, sizeof full, "%s.optimizer.%d", name, i);
    visit(context, full, &DEER_SHAPE(size), data);
  }
}

static void visit_part(const deer_ac_part *part, void *context, visitor *visit) {
  visit_net(part, "", part->online, context, visit);
  visit_net(part, "target_", part->target, context, visit);
  deer_ac_visit_opt(part->opt, part->name, context, visit);
}

void deer_ac_visit(deer_algo *self, void *context, visitor *visit) {
  deer_actor_critic *ac = (deer_actor_critic *)self;
  self->updates = deer_ac_updates(ac);
  visit_part(&ac->actor, context, visit);
  for (int i = 0; i < ac->n_critics; i++) visit_part(&ac->critic[i], context, visit);
  visit(context, "updates", &DEER_SHAPE(2), ac->updates);
}

/* ---- describing ---- */

static deer_node apply(const deer_actor_critic *ac, deer_net *net, deer_graph *g,
                       deer_net_call call) {
  deer_node output = DEER_NONE;
  call.noise = ac->updating;
  deer_net_apply_heads(net, g, &call, &output);
  return output;
}

deer_node deer_ac_actor(const deer_actor_critic *ac, deer_graph *g, deer_node block,
                        const deer_node *states) {
  return apply(ac, ac->actor_net, g, (deer_net_call){.block = block, .states = states});
}

deer_node deer_ac_values(const deer_actor_critic *ac, deer_graph *g, deer_node block,
                         const deer_node *states) {
  return apply(ac, ac->critic_net, g, (deer_net_call){.block = block, .states = states});
}

deer_node deer_ac_value(const deer_actor_critic *ac, deer_graph *g, deer_node block,
                        const deer_node *states, deer_node action) {
  if (ac->base.space.actions.n > 0)
    return deer_gather(g, deer_ac_values(ac, g, block, states), action);
  int n = ac->base.space.n_subjects, batch = deer_node_shape(g, action).dim[0];
  deer_node inputs[DEER_MAX_SUBJECTS];
  for (int s = 0; s < n; s++) inputs[s] = states[s];
  inputs[n] = deer_reshape(g, action, DEER_SHAPE(batch, 1, ac->base.space.actions.size));
  deer_node q = apply(ac, ac->critic_net, g, (deer_net_call){.block = block, .states = inputs});
  return deer_reshape(g, q, DEER_SHAPE(batch));
}

void deer_ac_minimize(deer_ac_graph *u, deer_ac_block *block, deer_node loss) {
  const deer_ac_part *part = block->part;
  deer_node gradient;
  if (u->status == DEER_OK) u->status = deer_gradients(u->g, loss, &block->online, 1, &gradient);
  if (u->status != DEER_OK) return;
  gradient = deer_opt_clip(u->g, gradient, part->net, &u->ac->clipping);
  u->n_outputs += deer_opt_minimize(part->opt, u->g, block->online, gradient, block->rate,
                                    u->outputs + u->n_outputs);
  block->updated = deer_opt_updated(part->opt);
}

void deer_ac_fit_critics(deer_ac_graph *u, deer_node y) {
  deer_graph *g = u->g;
  deer_node sum = DEER_NONE, error = DEER_NONE;
  for (int i = 0; i < u->ac->n_critics; i++) {
    deer_node q_tm1 = deer_ac_value(u->ac, g, u->critic[i].online, u->obs_tm1, u->a_tm1);
    deer_node td = deer_sub(g, y, q_tm1), size = deer_abs(g, td);
    deer_node losses = deer_mul(g, u->weight, deer_square(g, td));
    deer_node loss = deer_mean(g, losses, DEER_ALL_AXES);
    deer_ac_minimize(u, &u->critic[i], loss);
    sum = i == 0 ? loss : deer_add(g, sum, loss);
    error = i == 0 ? size : deer_add(g, error, size);
  }
  u->error = deer_scale(g, error, 1.0 / u->ac->n_critics);
  u->loss = deer_scale(g, sum, 1.0 / u->ac->n_critics);
}

void deer_ac_follow(deer_ac_graph *u, const deer_ac_block *block) {
  u->outputs[u->n_outputs++] = deer_soft_update(u->g, block->slow, block->updated, u->ac->tau);
}

/* ---- the programs that update ---- */

static deer_ac_block make_block(deer_graph *g, const deer_ac_part *part, deer_node rate) {
  int size = deer_net_size(part->net);
  deer_ac_block block = {.part = part, .rate = rate};
  block.online = deer_variable(g, part->name, part->online, size);
  if (part->target) block.slow = deer_variable(g, "target", part->target, size);
  return block;
}

static void make_inputs(deer_ac_graph *u) {
  deer_actor_critic *ac = u->ac;
  deer_graph *g = u->g;
  const deer_space *space = &ac->base.space;
  int batch = (int)ac->batch_size;
  deer_algo_states(space, g, "obs_tm1", batch, u->obs_tm1);
  deer_algo_states(space, g, "obs_t", batch, u->obs_t);
  bool discrete = space->actions.n > 0;
  u->a_tm1 = discrete
                 ? deer_input(g, "a_tm1", DEER_DTYPE_I32, DEER_SHAPE(batch))
                 : deer_input(g, "a_tm1", DEER_DTYPE_REAL, DEER_SHAPE(batch, space->actions.size));
  u->continue_t = deer_input(g, "continue_t", DEER_DTYPE_REAL, DEER_SHAPE(batch));
  u->r_t = deer_input(g, "r_t", DEER_DTYPE_REAL, DEER_SHAPE(batch));
  u->transition.r_t = deer_algo_rewards(&ac->base, g, u->r_t);
  u->weight = deer_input(g, "weight", DEER_DTYPE_REAL, DEER_SHAPE(batch));
  deer_node gamma = deer_reshape(g, deer_variable(g, "gamma", &ac->gamma, 1), DEER_SCALAR);
  u->transition.discount_t =
      deer_mul(g, u->continue_t, deer_expand(g, gamma, DEER_SHAPE(batch), 0));
  u->actor = make_block(g, &ac->actor, deer_variable(g, "rate_of_actor", &ac->rate_of_actor, 1));
  deer_node rate = deer_variable(g, "rate", &ac->rate, 1);
  for (int i = 0; i < ac->n_critics; i++) u->critic[i] = make_block(g, &ac->critic[i], rate);
}

/* where the replay writes a batch */
static void bind_batch(const deer_ac_graph *u, deer_ac_update *update) {
  deer_batch *b = &update->batch;
  b->size = (int)u->ac->batch_size;
  for (int s = 0; s < u->ac->base.space.n_subjects; s++) {
    b->obs_tm1[s] = deer_program_data(update->program, u->obs_tm1[s]);
    b->obs_t[s] = deer_program_data(update->program, u->obs_t[s]);
  }
  void *actions = deer_program_data(update->program, u->a_tm1);
  if (u->ac->base.space.actions.n > 0)
    b->a_tm1 = actions;
  else
    b->action_tm1 = actions;
  b->r_t = deer_program_data(update->program, u->r_t);
  b->continue_t = deer_program_data(update->program, u->continue_t);
  b->weight = deer_program_data(update->program, u->weight);
  b->index = u->ac->index;
  b->n_step = (int)u->ac->n_step;
}

static deer_status compile_update(deer_ac_graph *u, deer_ac_update *update) {
  if (u->status != DEER_OK) return u->status;
  u->outputs[u->n_outputs++] = u->loss;
  u->outputs[u->n_outputs++] = u->error;
  DEER_TRY(deer_compile(u->g, u->outputs, u->n_outputs, &update->program));
  bind_batch(u, update);
  update->loss = deer_program_data(update->program, u->loss);
  update->error = deer_program_data(update->program, u->error);
  return DEER_OK;
}

deer_status deer_ac_build_update(deer_actor_critic *ac, int i, void (*describe)(deer_ac_graph *u)) {
  deer_ac_graph u = {.ac = ac, .g = deer_graph_new(), .status = DEER_OK};
  if (!u.g) return DEER_ENOMEM;
  make_inputs(&u);
  ac->updating = true;
  describe(&u);
  ac->updating = false;
  deer_status status = compile_update(&u, &ac->update[i]);
  deer_graph_free(u.g);
  return status;
}
