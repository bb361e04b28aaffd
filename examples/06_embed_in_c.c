/* The library inside a C program, without Lua: an environment in C, a deep Q-network, a listener
 * that trains it.
 *
 *   cc -std=c11 examples/06_embed_in_c.c -Isrc build/libdeer.a $(pkg-config --libs openblas libpng
 * jansson) -lm -pthread
 *
 * or, after `make install`, with $(pkg-config --cflags --libs deer). */
#include "deer.h"

#include <stdio.h>

/* a walk along nine cells; reaching the last one earns 1 and ends the episode */
enum { LENGTH = 9 };

typedef struct walk {
  deer_env base;
  int at;
} walk;

static deer_status init(deer_env *self, const deer_rng *rng) {
  (void)rng; /* nothing here is random */
  self->space.n_subjects = 1;
  self->space.subjects[0] = (deer_subject){.history = 1, .shape = DEER_SCALAR};
  self->space.actions = (deer_action_space){.n = 2, .size = 1};
  return DEER_OK;
}

static deer_status reset(deer_env *self, int mode, void *const *history) {
  (void)mode, (void)history;
  ((walk *)self)->at = 0;
  return DEER_OK;
}

static deer_status act(deer_env *self, const deer_real *action, double *reward) {
  walk *w = (walk *)self;
  if (*action == 1)
    w->at++;
  else if (w->at > 0)
    w->at--;
  *reward = w->at == LENGTH;
  return DEER_OK;
}

static deer_status observe(deer_env *self, void *const *observation) {
  *(deer_real *)observation[0] = (deer_real)((walk *)self)->at / LENGTH;
  return DEER_OK;
}

static deer_status ending(deer_env *self, deer_ending *how) {
  *how = ((walk *)self)->at == LENGTH ? DEER_TERMINATED : DEER_RUNNING;
  return DEER_OK;
}

static const deer_env_class walk_class = {.abi = DEER_ENV_ABI,
                                          .name = "walk",
                                          .size = sizeof(walk),
                                          .init = init,
                                          .reset = reset,
                                          .act = act,
                                          .observe = observe,
                                          .ending = ending};

/* after every training step: one update; after every epoch: a test */
static deer_status listen(void *context, const deer_event *event) {
  deer_agent *agent = context;
  bool trained;
  int64_t episodes;
  if (deer_agent_mode(agent) != -1) return DEER_OK;
  if (event->signal == DEER_ON_ACTION_TAKEN) return deer_agent_train(agent, &trained);
  DEER_TRY(deer_agent_start_mode(agent, 0, 90));
  DEER_TRY(deer_agent_run(agent, 1, 90));
  double score = deer_agent_test_score(agent, &episodes);
  printf("%d episodes, %g reward in each\n", (int)episodes, score);
  return deer_agent_resume_training(agent);
}

static deer_status train(deer_env *env, deer_algo *algo, const deer_rng *rng) {
  deer_epsilon_greedy exploring = deer_epsilon_greedy_make(0.3),
                      greedy = deer_epsilon_greedy_make(0);
  deer_agent_config config = {.env = env,
                              .algo = algo,
                              .train_policy = &exploring.base,
                              .test_policy = &greedy.base,
                              .replay = deer_replay_find("uniform"),
                              .replay_memory_size = 10000,
                              .replay_start_size = -1,
                              .only_full_history = true,
                              .rng = rng};
  deer_agent *agent;
  DEER_TRY(deer_agent_new(&config, &agent));
  deer_agent_listen(agent, listen, agent, 1u << DEER_ON_ACTION_TAKEN | 1u << DEER_ON_EPOCH_END);
  deer_status status = deer_agent_run(agent, 8, 500);
  deer_agent_free(agent);
  return status;
}

int main(void) {
  deer_blas_start();
  deer_rng rng = deer_rng_seed(1);
  deer_env *env = NULL;
  deer_algo *algo = NULL;
  deer_option options[] = {{"update_rule", {DEER_VALUE_TEXT, 0, "adam"}},
                           {"learning_rate", {DEER_VALUE_NUMBER, 0.002, NULL}},
                           {"freeze_interval", {DEER_VALUE_NUMBER, 100, NULL}}};
  deer_status status = deer_env_new(&walk_class, NULL, 0, &rng, &env);
  if (status == DEER_OK) {
    deer_algo_config config = {
        .space = &env->space, .options = options, .n_options = 3, .rng = &rng};
    status = deer_algo_new(deer_algo_find("dqn"), &config, &algo);
  }
  if (status == DEER_OK) status = train(env, algo, &rng);
  if (status != DEER_OK) fprintf(stderr, "%s\n", deer_error());
  deer_algo_free(algo);
  deer_env_free(env);
  return status != DEER_OK;
}
