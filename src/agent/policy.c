/* policy.c: registry and life of policies, and what they ask the algo. */
#include "agent/policy.h"

#include <string.h>

#define POLICY(name) extern const deer_policy_class deer_policy_##name;
#include "agent/policies.def"
#undef POLICY

static const deer_policy_class *const classes[] = {
#define POLICY(name) &deer_policy_##name,
#include "agent/policies.def"
#undef POLICY
};

const deer_policy_class *deer_policy_at(int i) {
  return i >= 0 && i < (int)(sizeof classes / sizeof *classes) ? classes[i] : NULL;
}

const deer_policy_class *deer_policy_find(const char *name) {
  for (int i = 0; deer_policy_at(i); i++)
    if (strcmp(deer_policy_at(i)->name, name) == 0) return deer_policy_at(i);
  return NULL;
}

deer_status deer_policy_init(const deer_policy_class *kind, const deer_option *options, int n,
                             deer_policy *policy) {
  policy->kind = kind;
  deer_fields_default(kind->fields, policy);
  for (int i = 0; i < n; i++)
    DEER_TRY(deer_fields_set(kind->fields, policy, options[i].name, options[i].value));
  return DEER_OK;
}

/* ---- asking the algo ---- */

deer_status deer_answers_init(deer_answers *answers, const deer_space *space, int n) {
  size_t rows = (size_t)n, bytes = (size_t)space->actions.size * sizeof *answers->best;
  *answers = (deer_answers){.n = n};
  for (int s = 0; s < space->n_subjects; s++) {
    answers->state[s] = deer_alloc_array(rows, deer_history_bytes(&space->subjects[s]));
    if (!answers->state[s]) return DEER_ENOMEM;
  }
  answers->best = deer_alloc_array(rows, bytes);
  answers->drawn = deer_alloc_array(rows, bytes);
  answers->value = deer_alloc_array(rows, sizeof *answers->value);
  return answers->best && answers->drawn && answers->value ? DEER_OK : DEER_ENOMEM;
}

void deer_answers_finish(deer_answers *answers) {
  for (int s = 0; s < DEER_MAX_SUBJECTS; s++) deer_free(answers->state[s]);
  deer_free(answers->best);
  deer_free(answers->drawn);
  deer_free(answers->value);
}

void deer_answers_forget(deer_answers *answers) {
  answers->has_best = answers->has_value = answers->has_drawn = false;
}

/* row `row` of the answers */
static void take_row(const deer_choice *choice, const deer_real *rows, deer_real *action) {
  size_t size = (size_t)choice->algo->space.actions.size;
  memcpy(action, rows + (size_t)choice->row * size, size * sizeof *action);
}

deer_status deer_choice_best(const deer_choice *choice, deer_real *action, double *value) {
  deer_algo *algo = choice->algo;
  deer_answers *all = choice->answers;
  if (!all || !algo->kind->act_rows) return algo->kind->act(algo, choice->state, action, value);
  if (!all->has_best || (value && !all->has_value)) {
    const void *const *states = (const void *const *)all->state;
    DEER_TRY(algo->kind->act_rows(algo, all->n, states, all->best, value ? all->value : NULL));
    all->has_best = true;
    all->has_value = value != NULL;
  }
  take_row(choice, all->best, action);
  if (value) *value = all->value[choice->row];
  return DEER_OK;
}

deer_status deer_choice_drawn(const deer_choice *choice, deer_real *action) {
  deer_algo *algo = choice->algo;
  deer_answers *all = choice->answers;
  if (!all || !algo->kind->explore_rows)
    return algo->kind->explore(algo, choice->state, choice->rng, action);
  if (!all->has_drawn) {
    const void *const *states = (const void *const *)all->state;
    DEER_TRY(algo->kind->explore_rows(algo, all->n, states, choice->rng, all->drawn));
    all->has_drawn = true;
  }
  take_row(choice, all->drawn, action);
  return DEER_OK;
}

/* ---- chance ---- */

void deer_random_action(const deer_action_space *actions, deer_rng *rng, deer_real *action) {
  if (actions->n > 0) {
    *action = (deer_real)deer_rng_below(rng, (uint64_t)actions->n);
    return;
  }
  for (int i = 0; i < actions->size; i++) {
    if (actions->choices[0] > 0) {
      action[i] = (deer_real)deer_rng_below(rng, (uint64_t)actions->choices[i]);
      continue;
    }
    double x = actions->low[i] + (actions->high[i] - actions->low[i]) * deer_rng_uniform(rng);
    action[i] = (deer_real)x;
  }
}
