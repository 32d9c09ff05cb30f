!> The example host as a program: example_host NAMELIST_FILE. A line a year on the terminal, the
!> results in a netCDF file. It handles every failure of landstep itself.
program example_main
  use, intrinsic :: iso_fortran_env, only: error_unit
  use example_files, only: read_points, read_restart, results_close, results_open, results_t, results_write
  use example_host, only: coordinate_kind, host_close, host_open, host_run_year, host_t
  use example_points, only: points_t
  use example_record, only: record_line, record_restore, record_values
  use example_settings, only: path_length, settings_read, settings_t
  implicit none

  character(path_length) :: namelist_file, message
  type(settings_t) :: settings
  type(host_t) :: host
  type(points_t) :: points
  type(results_t) :: results
  real(coordinate_kind), allocatable :: values(:, :)
  integer :: n_points, n_covers, year, stat

  if (command_argument_count() /= 1) call give_up("usage: example_host NAMELIST_FILE")
  call get_command_argument(1, namelist_file)
  message = ""
  call settings_read(trim(namelist_file), settings, stat, message)
  if (stat /= 0) call give_up(message)
  call read_points(trim(settings%points_file), points, stat, message)
  if (stat /= 0) call give_up(message)
  call host_open(host, settings, points, stat, message)
  if (stat /= 0) call give_up(message)
  n_points = size(points%lon)
  n_covers = size(host%covers)
  if (settings%host_restart_in /= "") then
    call read_restart(trim(settings%host_restart_in), n_points, n_covers, year, values, stat, message)
    if (stat /= 0) call give_up(message)
    call record_restore(host, year, values)
  end if
  call results_open(results, trim(settings%results_file), n_points, host%covers, stat, message)
  if (stat /= 0) call give_up(message)

  do year = settings%first_year, settings%last_year
    call host_run_year(host, year, stat, message)
    if (stat /= 0) exit
    values = record_values(host)
    call results_write(results, n_covers, year, values, stat, message)
    if (stat /= 0) exit
    print "(a)", trim(record_line(year, values))
  end do
  if (stat == 0) call write_restarts()
  if (stat /= 0) then ! what was written so far stays readable
    call say(message)
    call results_close(results, stat, message)
    stop 1, quiet=.true.
  end if
  call results_close(results, stat, message)
  if (stat /= 0) call give_up(message)
  call host_close(host, stat, message)
  if (stat /= 0) call give_up(message)

contains

  !> Write landstep's restart file and the host's own.
  subroutine write_restarts()
    type(results_t) :: restart

    if (settings%coupled .and. settings%restart_out /= "") &
      call host%land%write_restart(settings%restart_out, stat, message)
    if (stat /= 0 .or. settings%host_restart_out == "") return
    call results_open(restart, trim(settings%host_restart_out), n_points, host%covers, stat, message)
    if (stat == 0) call results_write(restart, n_covers, host%year, values, stat, message)
    if (stat == 0) call results_close(restart, stat, message)
  end subroutine write_restarts

  subroutine say(text)
    character(*), intent(in) :: text

    write (error_unit, "(2a)") "example_host: ", trim(text)
  end subroutine say

  subroutine give_up(text)
    character(*), intent(in) :: text

    call say(text)
    stop 1, quiet=.true.
  end subroutine give_up
end program example_main
