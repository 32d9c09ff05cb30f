/* liblandstep_stub: the public functions without Python, for a host that is built without landstep.
 * With entry.c it needs no file but landstep.h and answers.h.
 */
#include <stddef.h>

#include "answers.h"

int landstep_start(const landstep_answers **answers) {
  (void)answers;
  return landstep_fail(LANDSTEP_DEPENDENCY_ERROR,
                       "landstep is not built in: this program was linked to its stub "
                       "(liblandstep_stub); link it to liblandstep to have land use");
}

int landstep_started(const landstep_answers **answers) { return landstep_start(answers); }

void *landstep_release(void) { return NULL; }

void landstep_reacquire(void *held) { (void)held; }
