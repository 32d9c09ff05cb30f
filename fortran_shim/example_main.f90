!> The example host as a program: example_host NAMELIST_FILE. A line a year on the terminal, the
!> results in a netCDF file. It handles every failure of landstep itself.
program example_main
  use, intrinsic :: iso_fortran_env, only: error_unit
  use example_files, only: points_t, read_points, results_close, results_open, results_t, results_write
  use example_host, only: host_close, host_open, host_run_year, host_t
  implicit none

  integer, parameter :: path_length = 4096
  character(path_length) :: experiment = "experiment.toml", points_file = "points.nc"
  character(path_length) :: results_file = "results.nc", restart_in = "", restart_out = ""
  character(1024) :: covers = "ocean,urban,cropland,pasture,forest,grass_shrub,other_land,water"
  integer :: first_year = 0, last_year = 0
  namelist /host/ experiment, points_file, results_file, restart_in, restart_out, covers, first_year, last_year

  character(path_length) :: namelist_file, message
  type(host_t) :: climate
  type(points_t) :: points
  type(results_t) :: results
  integer :: year, stat, unit

  if (command_argument_count() /= 1) call give_up("usage: example_host NAMELIST_FILE")
  call get_command_argument(1, namelist_file)
  message = ""
  open (newunit=unit, file=trim(namelist_file), status="old", action="read", iostat=stat, iomsg=message)
  if (stat == 0) read (unit, nml=host, iostat=stat, iomsg=message)
  if (stat /= 0) call give_up(trim(namelist_file)//": "//message)
  close (unit)

  call read_points(trim(points_file), points, stat, message)
  if (stat /= 0) call give_up(message)
  if (restart_in == "") then
    call host_open(climate, experiment, trim(covers), points%lon, points%lat, points%lon_bounds, &
      points%lat_bounds, year=first_year, stat=stat, errmsg=message)
  else
    call host_open(climate, experiment, trim(covers), points%lon, points%lat, points%lon_bounds, &
      points%lat_bounds, restart=restart_in, stat=stat, errmsg=message)
  end if
  if (stat /= 0) call give_up(message)
  call results_open(results, trim(results_file), climate, stat, message)
  if (stat /= 0) call give_up(message)

  do year = first_year, last_year
    call host_run_year(climate, year, stat, message)
    if (stat /= 0) exit
    call results_write(results, climate, stat, message)
    if (stat /= 0) exit
    print "(i0, a, f8.3, a, f8.3, a)", year, ": surface", &
      sum(climate%temperature)/size(climate%temperature), " K, latent heat", &
      sum(climate%latent_heat)/size(climate%latent_heat), " W m-2"
  end do
  if (stat == 0 .and. restart_out /= "") call climate%land%write_restart(restart_out, stat, message)
  if (stat /= 0) then ! what was written so far stays readable
    call say(message)
    call results_close(results, stat, message)
    stop 1, quiet=.true.
  end if
  call results_close(results, stat, message)
  if (stat /= 0) call give_up(message)
  call host_close(climate, stat, message)
  if (stat /= 0) call give_up(message)

contains

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
