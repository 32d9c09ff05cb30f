!> The example host on the ranks of MPI: mpirun -n 4 example_mpi NAMELIST_FILE. Every rank has its own
!> part of the points and hands it to landstep with their places in the whole list; rank 0 puts the
!> results together and writes what the serial program writes, to the bit.
!>
!> Between calls in which all ranks of landstep take part, a rank may fail alone. So after each such
!> stretch the ranks agree whether to go on, and all end with the words of the first that failed.
program example_mpi
  use, intrinsic :: iso_fortran_env, only: error_unit
  use example_files, only: read_points, read_restart, results_close, results_open, results_t, results_write
  use example_gather, only: agree, gather_values
  use example_host, only: coordinate_kind, host_close, host_open, host_run_year, host_t
  use example_points, only: part_of_rank, points_pick, points_t
  use example_record, only: record_line, record_restore, record_values
  use example_settings, only: path_length, settings_read, settings_t
  use mpi, only: mpi_comm_rank, mpi_comm_size, mpi_comm_world, mpi_finalize, mpi_init, mpi_init_thread, &
    mpi_thread_multiple
  implicit none

  character(path_length) :: namelist_file, message
  type(settings_t) :: settings
  type(host_t) :: host
  type(points_t) :: all_points, points
  type(results_t) :: results
  real(coordinate_kind), allocatable :: values(:, :), whole(:, :)
  integer, allocatable :: places(:)
  integer :: n_points, n_covers, year, stat, thread_level, rank, ranks, ignored

  message = "usage: example_mpi NAMELIST_FILE"
  stat = 1
  if (command_argument_count() == 1) then
    call get_command_argument(1, namelist_file)
    call settings_read(trim(namelist_file), settings, stat, message)
  end if
  if (settings%thread_multiple) then
    call mpi_init_thread(mpi_thread_multiple, thread_level, ignored)
    if (stat == 0 .and. thread_level < mpi_thread_multiple) then
      stat = 1
      message = "thread_multiple: this MPI has no MPI_THREAD_MULTIPLE"
    end if
  else
    call mpi_init(ignored)
  end if
  call mpi_comm_rank(mpi_comm_world, rank, ignored)
  call mpi_comm_size(mpi_comm_world, ranks, ignored)
  call end_if_any_failed()

  call read_points(trim(settings%points_file), all_points, stat, message)
  call end_if_any_failed()
  n_points = size(all_points%lon)
  places = part_of_rank(settings%division, n_points, rank, ranks)
  call points_pick(all_points, places, points)
  call host_open(host, settings, points, stat, message, comm=mpi_comm_world)
  call end_if_any_failed()
  n_covers = size(host%covers)
  if (settings%host_restart_in /= "") then
    call read_restart(trim(settings%host_restart_in), n_points, n_covers, year, whole, stat, message)
    call end_if_any_failed()
    call record_restore(host, year, whole(places, :))
  end if
  if (rank == 0) call results_open(results, trim(settings%results_file), n_points, host%covers, stat, message)
  call end_if_any_failed()

  do year = settings%first_year, settings%last_year
    call host_run_year(host, year, stat, message)
    call end_if_any_failed()
    values = record_values(host)
    call gather_values(values, places, n_points, whole)
    if (rank == 0) call results_write(results, n_covers, year, whole, stat, message)
    call end_if_any_failed()
    if (rank == 0) print "(a)", trim(record_line(year, whole))
  end do
  call write_restarts()
  call end_if_any_failed()
  if (rank == 0) call results_close(results, stat, message)
  call end_if_any_failed()
  call host_close(host, stat, message)
  call end_if_any_failed()
  call mpi_finalize(ignored)

contains

  !> Write landstep's restart file, all ranks together, and the host's own, rank 0.
  subroutine write_restarts()
    type(results_t) :: restart

    if (settings%coupled .and. settings%restart_out /= "") &
      call host%land%write_restart(settings%restart_out, stat, message)
    call end_if_any_failed()
    if (settings%host_restart_out == "" .or. rank > 0) return
    call results_open(restart, trim(settings%host_restart_out), n_points, host%covers, stat, message)
    if (stat == 0) call results_write(restart, n_covers, host%year, whole, stat, message)
    if (stat == 0) call results_close(restart, stat, message)
  end subroutine write_restarts

  !> End every rank where one has failed. What was written so far stays readable.
  subroutine end_if_any_failed()
    character(path_length) :: closing
    integer :: first

    call agree(mpi_comm_world, stat, message, first)
    if (stat == 0) return
    if (rank == 0) then
      write (error_unit, "(a, i0, 2a)") "example_mpi: rank ", first, ": ", trim(message)
      closing = ""
      call results_close(results, ignored, closing)
    end if
    call mpi_finalize(ignored)
    stop 1, quiet=.true.
  end subroutine end_if_any_failed
end program example_mpi
