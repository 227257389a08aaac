/* The tests of storesuite in which several threads or processes use one store at once; they take a storeworld. */
#ifndef TEST_STORERACE_H
#define TEST_STORERACE_H

/* Of those that append to one chain at the same time one wins each place, and each gets all of its entries in. */
void storerace_of_threads_one_wins(void **state);
void storerace_of_processes_one_wins(void **state);

/* What one puts and appends, the other sees. */
void storerace_another_process_sees_it(void **state);

/* Putting, reading and flushing at once. */
void storerace_eight_threads(void **state);

#endif
