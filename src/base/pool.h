/* pool.h: a few threads that wait for work, for computations that are over in microseconds: they
 * spin for a moment before they sleep. */
#ifndef DEER_POOL_H
#define DEER_POOL_H

#include "base/base.h"

#define DEER_MAX_THREADS 64

/* How many threads a large computation may use; 1 at the start. Results do not depend on it. */
int deer_threads(void);

/* 1 .. DEER_MAX_THREADS, else DEER_EINVAL. Programs use the number that was set when they were
 * compiled. DEER_ENOMEM when the system gives no more threads; the number is then what there is. */
deer_status deer_threads_set(int n);

/* Runs work(context, i) for i = 0 .. n-1 at the same time, 0 on the caller's thread, and returns
 * when all are done. False, with nothing done, when the pool is smaller or somebody else uses it
 * (or this is a forked child, which has no threads): the caller then does the work alone. */
typedef void deer_pool_work(void *context, int worker);
bool deer_pool_run(int n, deer_pool_work *work, void *context);

/* Waits a moment in a loop that watches another thread; `turn` counts up from 0. */
void deer_spin(int turn);

#endif
