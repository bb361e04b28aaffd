/* algo.c: registry and life of algorithms. */
#include "deer.h"

#include <math.h>
#include <string.h>

#define ALGO(name) extern const deer_algo_class deer_algo_##name;
#include "algo/algos.def"
#undef ALGO

static const deer_algo_class *const classes[] = {
#define ALGO(name) &deer_algo_##name,
#include "algo/algos.def"
#undef ALGO
};

const deer_algo_class *deer_algo_at(int i) {
  return i >= 0 && i < (int)(sizeof classes / sizeof *classes) ? classes[i] : NULL;
}

const deer_algo_class *deer_algo_find(const char *name) {
  for (int i = 0; deer_algo_at(i); i++)
    if (strcmp(deer_algo_at(i)->name, name) == 0) return deer_algo_at(i);
  return NULL;
}

static deer_status check_actions(const deer_algo_class *kind, const deer_action_space *actions) {
  deer_action_kind needed = deer_actions_kind(actions);
  if (kind->caps & needed) return DEER_OK;
  char all[64] = "";
  for (unsigned i = 1; i < DEER_ALGO_ANY; i *= 2)
    if (kind->caps & i)
      strcat(strcat(all, *all ? " or " : ""), deer_action_kind_name((deer_action_kind)i));
  return deer_fail(DEER_EINVAL, "%s works with %s actions, the environment has %s ones", kind->name,
                   all, deer_action_kind_name(needed));
}

static deer_status start(deer_algo *algo, const deer_algo_config *config) {
  const deer_algo_class *kind = algo->kind;
  if (kind->abi != DEER_ALGO_ABI)
    return deer_fail(DEER_EINVAL, "%s: made for version %d of the interface, this is %d",
                     kind->name, kind->abi, DEER_ALGO_ABI);
  DEER_TRY(deer_space_check(config->space));
  DEER_TRY(check_actions(kind, &config->space->actions));
  algo->space = *config->space;
  deer_fields_default(kind->fields, algo);
  for (int i = 0; i < config->n_options; i++)
    DEER_TRY(
        deer_fields_set(kind->fields, algo, config->options[i].name, config->options[i].value));
  return kind->init(algo, config->net, config->rng);
}

deer_status deer_algo_new(const deer_algo_class *kind, const deer_algo_config *config,
                          deer_algo **algo) {
  *algo = NULL;
  deer_algo *made = deer_alloc(kind->size);
  if (!made) return DEER_ENOMEM;
  made->kind = kind;
  deer_status status = start(made, config);
  if (status == DEER_OK)
    *algo = made;
  else
    deer_algo_free(made);
  return status;
}

void deer_algo_free(deer_algo *algo) {
  if (!algo) return;
  if (algo->kind->finish) algo->kind->finish(algo);
  deer_free(algo);
}

deer_status deer_algo_set_learning_rate(deer_algo *algo, double rate) {
  if (!(rate >= 0 && isfinite(rate)))
    return deer_fail(DEER_EINVAL, "learning rate: expected a number of at least 0, got %g", rate);
  algo->learning_rate = rate;
  return DEER_OK;
}

deer_status deer_algo_set_discount(deer_algo *algo, double discount) {
  if (!(discount >= 0 && discount <= 1))
    return deer_fail(DEER_EINVAL, "discount factor: expected a number between 0 and 1, got %g",
                     discount);
  algo->discount = discount;
  return DEER_OK;
}
