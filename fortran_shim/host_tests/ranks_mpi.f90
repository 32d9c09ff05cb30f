!> A run on the ranks of MPI.
module host_ranks
  use host_kit, only: run_t
  use mpi, only: mpi_comm_rank, mpi_comm_size, mpi_comm_world, mpi_finalize, mpi_init
  implicit none
  private
  public :: ranks_begin, ranks_end

contains

  subroutine ranks_begin(run)
    type(run_t), intent(inout) :: run
    integer :: ignored

    call mpi_init(ignored)
    run%comm = mpi_comm_world
    call mpi_comm_rank(run%comm, run%rank, ignored)
    call mpi_comm_size(run%comm, run%n_ranks, ignored)
  end subroutine ranks_begin

  subroutine ranks_end()
    integer :: ignored

    call mpi_finalize(ignored)
  end subroutine ranks_end
end module host_ranks
