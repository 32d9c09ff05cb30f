/* A host that uses its process in ways of its own: hostile MODE EXPERIMENT FOLDER, with MODE
 *   closed   the standard streams are closed, and the host prints all the same
 *   reused   a data file of the host has the numbers of stdout and stderr
 *   threads  OpenMP threads, each with a handle of its own, then all with one
 *   signals  SIGINT and SIGALRM every two milliseconds, for handlers of its own
 * FOLDER gets report, restart.nc and host.dat.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <omp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "landstep.h"

enum { POINTS = 2, THREADS = 4, FIRST = 2015, LAST = 2017 };

static const double lon[POINTS] = {-29.31, 330.7}, lat[POINTS] = {49.5, 49.51};
static FILE *report;

static void must(const char *call, int status) {
  char text[512];
  if (status == LANDSTEP_OK) return;
  landstep_last_error(text, sizeof text);
  fprintf(report, "%s: %d %s\n", call, status, text);
  fflush(report);
  _exit(3); /* other threads may be inside a call */
}

static int opened(const char *experiment) {
  landstep_points points = {.abi = LANDSTEP_ABI, .n_points = POINTS, .lon_deg = lon, .lat_deg = lat};
  int handle = 0, year = FIRST;
  must("open", landstep_open(experiment, &points, LANDSTEP_SERIAL, &year, NULL, NULL, &handle));
  return handle;
}

static void say(const char *words) {
  if (write(STDOUT_FILENO, words, strlen(words)) < 0 || write(STDERR_FILENO, words, 5) < 0)
    fprintf(report, "the host could not print\n");
}

/* Forest in every year; a host that speaks prints on its way. */
static void run(int handle, int speaks, double *forest) {
  int year, changed;
  for (year = FIRST; year <= LAST; year++, forest += POINTS) {
    if (speaks) say("this is the host\n");
    must("update", landstep_update(handle, year, 1, 1, &changed));
    must("get", landstep_get(handle, "area_fraction_forest", forest, POINTS));
  }
}

static void threads(const char *experiment) {
  double alone[(LAST - FIRST + 1) * POINTS], found[THREADS][(LAST - FIRST + 1) * POINTS];
  int handle = opened(experiment), changed = 0, same = 1, i;
  run(handle, 0, alone);
  must("close", landstep_close(handle));
#pragma omp parallel num_threads(THREADS)
  {
    int own = opened(experiment);
    run(own, 0, found[omp_get_thread_num()]);
    must("close", landstep_close(own));
  }
  for (i = 0; i < THREADS; i++) same = same && memcmp(found[i], alone, sizeof alone) == 0;
  handle = opened(experiment);
#pragma omp parallel num_threads(THREADS) reduction(+ : changed)
  {
    double forest[POINTS];
    int moved = 0;
    must("update", landstep_update(handle, FIRST + 1, 1, 1, &moved));
    must("get", landstep_get(handle, "area_fraction_forest", forest, POINTS));
    memcpy(found[omp_get_thread_num()], forest, sizeof forest);
    changed += moved;
  }
  for (i = 0; i < THREADS; i++) same = same && memcmp(found[i], alone + POINTS, POINTS * 8) == 0;
  must("close", landstep_close(handle));
  fprintf(report, "same=%d changed=%d\n", same, changed);
}

static volatile sig_atomic_t interrupts, alarms;

static void on_interrupt(int number) { interrupts += number == SIGINT; }

static void on_alarm(int number) {
  alarms += number == SIGALRM;
  raise(SIGINT);
}

/* Handlers without SA_RESTART, as old hosts have them: system calls end with EINTR. */
static void signals(const char *experiment) {
  double alone[(LAST - FIRST + 1) * POINTS], found[(LAST - FIRST + 1) * POINTS];
  struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
  struct sigaction interrupt = {.sa_handler = on_interrupt}, alarm = {.sa_handler = on_alarm};
  int handle = opened(experiment);
  run(handle, 0, alone);
  must("close", landstep_close(handle));
  sigaction(SIGINT, &interrupt, NULL);
  sigaction(SIGALRM, &alarm, NULL);
  setitimer(ITIMER_REAL, &often, NULL);
  handle = opened(experiment);
  run(handle, 0, found);
  must("write_restart", landstep_write_restart(handle, "restart.nc"));
  must("close", landstep_close(handle));
  setitimer(ITIMER_REAL, &never, NULL);
  fprintf(report, "same=%d heard=%d all=%d\n", memcmp(found, alone, sizeof alone) == 0,
          interrupts > 10, interrupts == alarms);
}

int main(int argc, char **argv) {
  double forest[(LAST - FIRST + 1) * POINTS];
  int handle, stream, copy;
  struct stat state;
  if (argc != 4 || chdir(argv[3]) != 0) return 2;
  if (strcmp(argv[1], "threads") != 0 && strcmp(argv[1], "signals") != 0) {
    for (stream = 0; stream <= 2; stream++) close(stream);
  }
  if (strcmp(argv[1], "reused") == 0) { /* stdin stays closed */
    int data = open("host.dat", O_CREAT | O_RDWR | O_TRUNC, 0600);
    if (dup2(data, 2) != 2 || dup2(data, 1) != 1 || close(data) != 0) return 2;
    if (write(1, "data", 4) != 4) return 2;
  }
  stream = open("report", O_CREAT | O_WRONLY | O_TRUNC, 0600);
  copy = fcntl(stream, F_DUPFD, 10);
  if (close(stream) != 0 || !(report = fdopen(copy, "w"))) return 2;
  if (strcmp(argv[1], "threads") == 0) {
    threads(argv[2]);
  } else if (strcmp(argv[1], "signals") == 0) {
    signals(argv[2]);
  } else {
    handle = opened(argv[2]);
    run(handle, strcmp(argv[1], "closed") == 0, forest);
    must("write_restart", landstep_write_restart(handle, "restart.nc"));
    must("close", landstep_close(handle));
    for (stream = 0; stream <= 2; stream++)
      fprintf(report, "%s", fstat(stream, &state) != 0 ? "?" : S_ISCHR(state.st_mode) ? "n" : "f");
    fprintf(report, " %a %a\n", forest[0], forest[1]);
  }
  return fclose(report) == 0 ? 0 : 3;
}
