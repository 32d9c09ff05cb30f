/* landstep.h: this year's land use in a host model, from C.
 *
 * Every function returns 0 (LANDSTEP_OK) or one of the codes below; landstep_last_error then gives
 * the text. A call that fails changes nothing: no output is written, the land surface stays where
 * it was, and the host can go on. The library never prints, never stops the host, keeps no pointer
 * after the call, and leaves floating-point traps, rounding, flush-to-zero, the locale and the
 * handler of SIGINT as it found them. Calls may come from any thread; two calls with the same
 * handle wait for each other. After fork() the child can make no further call.
 *
 * Arrays are flat, and n_values is the n_points of landstep_open; or, where a mask was given, the number of
 * points that it serves: the array then holds those alone, in their order. Points are in degrees: longitude
 * -180..180 or 0..360, latitude -90..90. Texts are UTF-8. A pointer may be NULL where that is said,
 * and any array may be NULL where n_points is 0.
 *
 * The first landstep_open starts Python: $LANDSTEP_PYTHON if set, else the python3 of the environment
 * that holds this library. Python's own environment variables (PYTHONHOME, PYTHONPATH, ...) are the
 * host's and not read. A process that already runs a Python keeps it: then LANDSTEP_PYTHON is not read.
 * Standard streams that the host has closed are opened on /dev/null, so that no file takes their
 * numbers. One that is a folder is replaced by /dev/null while Python starts, and then put back. The
 * environment is left as it was found.
 *
 * With an MPI communicator these are collective: landstep_open, landstep_get_maximum, a landstep_update
 * that begins a year, landstep_write_restart and landstep_close. All others are a rank's own affair.
 */
#ifndef LANDSTEP_H
#define LANDSTEP_H

/* The version of this interface; landstep_abi() gives that of the library. They must be equal. */
#define LANDSTEP_ABI 3

/* What a call returns. The same numbers are `status` of landstep's Python exceptions. */
enum landstep_status {
  LANDSTEP_OK = 0,
  LANDSTEP_ERROR = 1,           /* anything not named below */
  LANDSTEP_INPUT_ERROR = 2,     /* a file, or the data in it */
  LANDSTEP_MODEL_ERROR = 3,     /* the ONNX model */
  LANDSTEP_CONFIG_ERROR = 4,    /* the experiment file */
  LANDSTEP_STEP_ERROR = 5,      /* a year that cannot be reached, or a call out of order */
  LANDSTEP_STATE_ERROR = 6,     /* a restart file */
  LANDSTEP_CHECK_ERROR = 7,     /* a result that breaks what must hold */
  LANDSTEP_COUPLING_ERROR = 8,  /* a handle, field name, array or point list */
  LANDSTEP_DEPENDENCY_ERROR = 9 /* Python or a package is missing, or landstep is not built in */
};

/* The number that dominant_class holds for a point outside the emulator's grid. */
#define LANDSTEP_OUTSIDE 255

/* For `comm` of landstep_open: no MPI. */
#define LANDSTEP_SERIAL (-1)

/* The host's points. Set abi, n_points and the centres, and leave the rest 0 where there is none:
 *   landstep_points points = {.abi = LANDSTEP_ABI, .n_points = n, .lon_deg = lon, .lat_deg = lat};
 * Areas are taken over the vertices, else over the bounds; with area alone, of the cells nearest to each
 * point; without any of them a point takes the one cell that holds it, and landstep_open refuses points
 * that are far wider apart than the map's cells ([coupling] geometry = "left" lets them pass).
 */
typedef struct landstep_points {
  int abi;                      /* LANDSTEP_ABI: the header that the host was compiled with */
  int n_vertices;               /* vertices of a point; 0: none are given */
  long long n_points;           /* 0 or more */
  const double *lon_deg;        /* (n_points) centres */
  const double *lat_deg;        /* (n_points) */
  const double *lon_bounds_deg; /* (n_points, 2) west and east edge, or NULL */
  const double *lat_bounds_deg; /* (n_points, 2) south and north edge, or NULL */
  const double *vertex_lon_deg; /* (n_points, n_vertices) corners in order, or NULL */
  const double *vertex_lat_deg; /* (n_points, n_vertices) */
  const double *area_m2;        /* (n_points) the host's own cell areas, or NULL */
  const long long *index;       /* (n_points) unique over all ranks, or NULL: 0, 1, 2, ... */
  const int *mask;              /* (n_points) 0: a point that is not served and not looked at; NULL: all are */
} landstep_points;

#ifdef __cplusplus
extern "C" {
#endif

/* The interface version of the library. */
int landstep_abi(void);

/* Copy the version of landstep, e.g. "0.1.0", as landstep_last_error copies its text. */
int landstep_version(char *text, int size);

/* Open an experiment on a host's points.
 *   experiment       path of the experiment file
 *   points           see above
 *   comm             MPI communicator as Fortran's integer (MPI_Comm_c2f), or LANDSTEP_SERIAL
 *   year             the year to start from, or NULL: the experiment's (or the restart's)
 *   restart          path of a restart file, or NULL
 *   start            "initial" (or NULL): from the experiment's map; "restart": from the file, which
 *                    must be of the same run; "branch": from the file, with other settings
 *   handle           out: a positive number for the calls below
 */
int landstep_open(const char *experiment, const landstep_points *points, int comm, const int *year,
                  const char *restart, const char *start, int *handle);

/* Give the host's own field, to which landstep adds its change: once, before the first update.
 *   values           (n_months, n_values), points fastest; a Fortran array (n, 12) is that
 *   n_months         1 or 12
 */
int landstep_baseline(int handle, const char *name, const double *values, long long n_values,
                      int n_months);
int landstep_baseline_float(int handle, const char *name, const float *values, long long n_values,
                            int n_months);

/* Give the host's climate since the date of the last update.
 *   name             a CF standard name, e.g. air_temperature
 *   units            e.g. "K", or NULL: the field's own
 */
int landstep_put(int handle, const char *name, const double *values, long long n_values,
                 const char *units);
int landstep_put_float(int handle, const char *name, const float *values, long long n_values,
                       const char *units);

/* Bring the land surface to a date (month 1..12, day 1..31). Inside the period already reached
 * nothing happens; the next year is one step; any other year is an error.
 *   changed          out: 1 if fields moved since the host last heard, else 0
 * The first call after opening says 1: the host has no fields yet.
 */
int landstep_update(int handle, int year, int month, int day, int *changed);

/* Whether one field was handed out anew in the last update: all annual ones are when a year begins, and
 * a monthly one on each day on which its rule may give another value, whether or not any value differs.
 * changed: out, 1 or 0. */
int landstep_changed(int handle, const char *name, int *changed);

/* Copy a field. values: out, (n_values). The _float functions round to nearest. */
int landstep_get(int handle, const char *name, double *values, long long n_values);
int landstep_get_float(int handle, const char *name, float *values, long long n_values);

/* Copy a field as it was before its last change. */
int landstep_get_previous(int handle, const char *name, double *values, long long n_values);
int landstep_get_previous_float(int handle, const char *name, float *values, long long n_values);

/* Copy the twelve months of a monthly field in the year reached, for a host that keeps its own rule
 * between them: in the reference year the baseline's bits.
 *   values           out: (n_months, n_values), points fastest; a Fortran array (n, 12) is that
 *   n_months         12
 */
int landstep_get_monthly(int handle, const char *name, double *values, long long n_values,
                         int n_months);
int landstep_get_monthly_float(int handle, const char *name, float *values, long long n_values,
                               int n_months);

/* Add to the host's own values what landstep's field changed since the reference year, at the date of
 * the last update and within the field's bounds. Where nothing changed, as everywhere in the reference
 * year, the bytes stay as they are. A type is refused: types are chosen, not added to.
 *   values           in: the host's own of that date, without landstep; out: with the change
 */
int landstep_add_change(int handle, const char *name, double *values, long long n_values);
int landstep_add_change_float(int handle, const char *name, float *values, long long n_values);

/* Copy what a class gained and lost in the last update, gross: nothing where no year began in it.
 *   gain, loss       out: (n_values) shares of the known part of the host's cell, 0..1
 */
int landstep_get_change(int handle, const char *class_name, double *gain, double *loss,
                        long long n_values);
int landstep_get_change_float(int handle, const char *class_name, float *gain, float *loss,
                              long long n_values);

/* Copy what went from one class to another in the last update: nothing where no year began in it. Over
 * all classes to which it went the sum is the loss of landstep_get_change, over all from which it came
 * the gain: to the last bit in double precision, in any order.
 *   values           out: (n_values) shares of the known part of the host's cell, 0..1
 */
int landstep_get_transition(int handle, const char *from_class, const char *to_class, double *values,
                            long long n_values);
int landstep_get_transition_float(int handle, const char *from_class, const char *to_class,
                                  float *values, long long n_values);

/* Copy the largest value of an annual field from the year reached to the last of the run, for a host
 * that allocates by it: between the baselines and the first update. All those years are computed by
 * the first such call, without a climate of the host's own.
 *   values           out: (n_values)
 *   last_year        the last year of the run
 */
int landstep_get_maximum(int handle, const char *name, double *values, long long n_values,
                         int last_year);
int landstep_get_maximum_float(int handle, const char *name, float *values, long long n_values,
                               int last_year);

/* Copy an attribute of a field: units, denominator, long_name, standard_name or schedule; or notes,
 * what a user should know of its baseline or, by the name "points", of the points; "" where nothing.
 *   text             out: the attribute and a NUL; a room of size bytes that is too small is an error
 */
int landstep_describe(int handle, const char *name, const char *attribute, char *text, int size);

/* What landstep_open measured of the points of all ranks, once.
 *   served           out: points that the mask does not leave out
 *   without_land     out: of them, points where no land is known in the year that the run starts from
 *   cells_least, cells_mean, cells_most   out: cells of the map that a served point has a share of, of
 *                    those that have any; 0 where none has
 */
int landstep_get_coverage(int handle, int *served, int *without_land, int *cells_least,
                          double *cells_mean, int *cells_most);

/* How many fields there are. count: out. */
int landstep_field_count(int handle, int *count);

/* Copy the name of a field, as landstep_describe copies. position: 0 .. count - 1. */
int landstep_field_name(int handle, int position, char *text, int size);

/* Write a restart file; the old one stays until the new one is complete. */
int landstep_write_restart(int handle, const char *path);

/* Give the handle back. */
int landstep_close(int handle);

/* Copy the text of the last call that failed on this thread, cut at a whole character to fit size
 * bytes with its final NUL. Returns the full length without the NUL.
 */
int landstep_last_error(char *text, int size);

#ifdef __cplusplus
}
#endif

#endif
