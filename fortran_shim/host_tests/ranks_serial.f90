!> A run without MPI.
module host_ranks
  use host_kit, only: run_t
  implicit none
  private
  public :: ranks_begin, ranks_end

contains

  subroutine ranks_begin(run)
    type(run_t), intent(inout) :: run

    run%comm = -1
  end subroutine ranks_begin

  subroutine ranks_end()
  end subroutine ranks_end
end module host_ranks
