!> What the ranks of the example host say to each other. Landstep's own traffic goes over a
!> communicator of its own: it does not mix with this.
module example_gather
  use example_points, only: coordinate_kind
  use mpi, only: mpi_allreduce, mpi_bcast, mpi_character, mpi_comm_rank, mpi_comm_size, mpi_comm_world, &
    mpi_double_precision, mpi_gather, mpi_gatherv, mpi_integer, mpi_min
  implicit none
  private
  public :: agree, gather_values

contains

  !> Make the first failure, by rank, that of all: its status and its text.
  subroutine agree(comm, stat, message, first)
    integer, intent(in) :: comm
    integer, intent(inout) :: stat
    character(*), intent(inout) :: message
    integer, intent(out) :: first !! rank that failed, or the number of ranks
    integer :: mine, rank, ranks, ignored

    call mpi_comm_rank(comm, rank, ignored)
    call mpi_comm_size(comm, ranks, ignored)
    mine = merge(ranks, rank, stat == 0)
    call mpi_allreduce(mine, first, 1, mpi_integer, mpi_min, comm, ignored)
    if (first == ranks) return
    call mpi_bcast(stat, 1, mpi_integer, first, comm, ignored)
    call mpi_bcast(message, len(message), mpi_character, first, comm, ignored)
  end subroutine agree

  !> Bring the rows of all ranks' tables to rank 0, in the order of the whole list.
  subroutine gather_values(values, places, n_points, whole)
    real(coordinate_kind), intent(in) :: values(:, :)              !! (point of this rank, column)
    integer, intent(in) :: places(:), n_points                     !! of these points in the list, from 1; its length
    real(coordinate_kind), intent(inout), allocatable :: whole(:, :) !! (point, column) on rank 0, else no rows
    integer, allocatable :: counts(:), starts(:), all_places(:)
    real(coordinate_kind), allocatable :: column(:)
    integer :: rank, ranks, rows, i, ignored

    call mpi_comm_rank(mpi_comm_world, rank, ignored)
    call mpi_comm_size(mpi_comm_world, ranks, ignored)
    allocate (counts(ranks), starts(ranks))
    counts = 0
    call mpi_gather(size(places), 1, mpi_integer, counts, 1, mpi_integer, 0, mpi_comm_world, ignored)
    starts = [(sum(counts(:i - 1)), i=1, ranks)]
    rows = merge(n_points, 0, rank == 0)
    if (allocated(whole)) deallocate (whole)
    allocate (whole(rows, size(values, 2)), all_places(rows), column(rows))
    call mpi_gatherv(places, size(places), mpi_integer, all_places, counts, starts, mpi_integer, 0, &
      mpi_comm_world, ignored)
    do i = 1, size(values, 2)
      call mpi_gatherv(values(:, i), size(places), mpi_double_precision, column, counts, starts, &
        mpi_double_precision, 0, mpi_comm_world, ignored)
      whole(all_places, i) = column
    end do
  end subroutine gather_values
end module example_gather
