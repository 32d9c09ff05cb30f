/* Answers in plain C, behind entry.c in place of Python, so that tools which watch memory can look at
 * the C layer alone. They read every element that a host must have given and write every element that
 * a host must have room for; a name that begins with 'x' fails with a text longer than any message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"

enum { HANDLE = 7, FIELDS = 2 };

static volatile double seen; /* what is read is used */

static int refused(const char *name) {
  char *text;
  int status;
  if (*name != 'x') return 0;
  text = malloc(3 * LANDSTEP_MESSAGE_SIZE);
  if (!text) return LANDSTEP_ERROR;
  memset(text, 0, 3 * LANDSTEP_MESSAGE_SIZE);
  while (strlen(text) < 2 * LANDSTEP_MESSAGE_SIZE) strcat(text, "\xc3\xa5");
  status = landstep_fail(LANDSTEP_COUPLING_ERROR, text);
  free(text);
  return status;
}

static void read_all(const double *values, long long count) {
  long long i;
  if (values)
    for (i = 0; i < count; i++) seen += values[i];
}

static int plain_open(const char *experiment, const landstep_points *p, int comm, const int *year,
                      const char *restart, const char *start, int *handle) {
  long long i;
  if (refused(experiment)) return LANDSTEP_COUPLING_ERROR;
  read_all(p->lon_deg, p->n_points);
  read_all(p->lat_deg, p->n_points);
  read_all(p->lon_bounds_deg, 2 * p->n_points);
  read_all(p->lat_bounds_deg, 2 * p->n_points);
  read_all(p->vertex_lon_deg, p->n_vertices * p->n_points);
  read_all(p->vertex_lat_deg, p->n_vertices * p->n_points);
  read_all(p->area_m2, p->n_points);
  for (i = 0; p->index && i < p->n_points; i++) seen += (double)p->index[i];
  for (i = 0; p->mask && i < p->n_points; i++) seen += p->mask[i];
  seen += comm + (year ? *year : 0) + (restart ? strlen(restart) : 0) + (start ? strlen(start) : 0);
  *handle = HANDLE;
  return LANDSTEP_DONE;
}

static int plain_update(int handle, int year, int month, int day, int *changed) {
  seen += handle + year + day;
  *changed = month == 1;
  return month == 13 ? 0 : LANDSTEP_DONE; /* 0: what cffi answers where Python is not reached */
}

static int plain_changed(int handle, const char *name, int *changed) {
  if (refused(name)) return LANDSTEP_COUPLING_ERROR;
  *changed = handle == HANDLE;
  return LANDSTEP_DONE;
}

#define OF_KIND(real, suffix)                                                                     \
  static int plain_baseline##suffix(int handle, const char *name, const real *values,             \
                                    long long n_values, int n_months) {                           \
    long long i;                                                                                  \
    if (refused(name)) return LANDSTEP_COUPLING_ERROR;                                            \
    for (i = 0; i < n_values * n_months; i++) seen += values[i] + handle;                         \
    return LANDSTEP_DONE;                                                                         \
  }                                                                                               \
  static int plain_put##suffix(int handle, const char *name, const real *values,                  \
                               long long n_values, const char *units) {                           \
    seen += units ? strlen(units) : 0;                                                            \
    return plain_baseline##suffix(handle, name, values, n_values, 1);                             \
  }                                                                                               \
  static int plain_get##suffix(int handle, const char *name, real *values, long long n_values) {  \
    long long i;                                                                                  \
    if (refused(name)) return LANDSTEP_COUPLING_ERROR;                                            \
    for (i = 0; i < n_values; i++) values[i] = (real)(i + handle);                                \
    return LANDSTEP_DONE;                                                                         \
  }                                                                                               \
  static int plain_get_previous##suffix(int handle, const char *name, real *values,               \
                                        long long n_values) {                                     \
    return plain_get##suffix(handle, name, values, n_values);                                     \
  }                                                                                               \
  static int plain_get_monthly##suffix(int handle, const char *name, real *values,                \
                                       long long n_values, int n_months) {                        \
    return plain_get##suffix(handle, name, values, n_values * n_months);                          \
  }                                                                                               \
  static int plain_add_change##suffix(int handle, const char *name, real *values,                 \
                                      long long n_values) {                                       \
    long long i;                                                                                  \
    if (refused(name)) return LANDSTEP_COUPLING_ERROR;                                            \
    for (i = 0; i < n_values; i++) values[i] += (real)handle;                                     \
    return LANDSTEP_DONE;                                                                         \
  }                                                                                               \
  static int plain_get_transition##suffix(int handle, const char *from_class,                     \
                                          const char *to_class, real *values,                     \
                                          long long n_values) {                                   \
    if (refused(to_class)) return LANDSTEP_COUPLING_ERROR;                                        \
    return plain_get##suffix(handle, from_class, values, n_values);                               \
  }                                                                                               \
  static int plain_get_maximum##suffix(int handle, const char *name, real *values,                \
                                       long long n_values, int last_year) {                       \
    seen += last_year;                                                                            \
    return plain_get##suffix(handle, name, values, n_values);                                     \
  }                                                                                               \
  static int plain_get_change##suffix(int handle, const char *name, real *gain, real *loss,       \
                                      long long n_values) {                                       \
    int done = plain_get##suffix(handle, name, gain, n_values);                                   \
    return done == LANDSTEP_DONE ? plain_get##suffix(handle, name, loss, n_values) : done;        \
  }
OF_KIND(double, )
OF_KIND(float, _float)

static int plain_get_coverage(int handle, int *served, int *without_land, int *cells_least,
                              double *cells_mean, int *cells_most) {
  *served = handle;
  *without_land = *cells_least = *cells_most = 1;
  *cells_mean = 1.0;
  return LANDSTEP_DONE;
}

static int plain_describe(int handle, const char *name, const char *attribute, char *text, int size) {
  if (refused(name)) return LANDSTEP_COUPLING_ERROR;
  snprintf(text, (size_t)size, "%s of %s, %d", attribute, name, handle);
  return LANDSTEP_DONE;
}

static int plain_field_count(int handle, int *count) {
  *count = handle == HANDLE ? FIELDS : 0;
  return LANDSTEP_DONE;
}

static int plain_field_name(int handle, int position, char *text, int size) {
  return plain_describe(handle, "field", position ? "second" : "first", text, size);
}

static int plain_write_restart(int handle, const char *path) {
  seen += handle;
  return refused(path) ? LANDSTEP_COUPLING_ERROR : LANDSTEP_DONE;
}

static int plain_close(int handle) {
  return handle == HANDLE ? LANDSTEP_DONE : landstep_fail(LANDSTEP_COUPLING_ERROR, "no such handle");
}

#define PLAIN(name) .name = plain_##name,
static const landstep_answers plain = {LANDSTEP_EACH_ANSWER(PLAIN)};

int landstep_start(const landstep_answers **answers) {
  *answers = &plain;
  return LANDSTEP_OK;
}

int landstep_started(const landstep_answers **answers) { return landstep_start(answers); }

void *landstep_release(void) { return NULL; }

void landstep_reacquire(void *held) { (void)held; }
