! A host that runs three years, writes its fields as they lie in memory, and where it is asked to, ends a
! forked child as it ends itself.
!   process_host EXPERIMENT FIELDS [fork]
program process_host
  use, intrinsic :: iso_c_binding, only: c_int
  use, intrinsic :: iso_fortran_env, only: real64
  use landstep, only: land_t
  implicit none
  interface
    integer(c_int) function fork() bind(c, name="fork")
      import :: c_int
    end function fork
    subroutine c_exit(code) bind(c, name="exit")
      import :: c_int
      integer(c_int), value :: code
    end subroutine c_exit
    integer(c_int) function waitpid(child, code, options) bind(c, name="waitpid")
      import :: c_int
      integer(c_int), value :: child, options
      integer(c_int), intent(out) :: code
    end function waitpid
  end interface
  type(land_t) :: land
  real(real64) :: lon(3) = [-29.31_real64, 330.9_real64, 20.0_real64]
  real(real64) :: lat(3) = [49.5_real64, 49.8_real64, 49.5_real64], forest(3, 2015:2017)
  real(real64) :: lon_bounds(2, 3), lat_bounds(2, 3)
  integer :: year, stat, unit
  integer(c_int) :: child, code
  logical :: changed
  character(1024) :: experiment, fields, errmsg

  call get_command_argument(1, experiment)
  call get_command_argument(2, fields)
  lon_bounds = reshape([lon - 0.2_real64, lon + 0.2_real64], [2, 3], order=[2, 1])
  lat_bounds = reshape([lat - 0.2_real64, lat + 0.2_real64], [2, 3], order=[2, 1])
  call land%init(trim(experiment), lon, lat, lon_bounds, lat_bounds, year=2015, stat=stat, errmsg=errmsg)
  call check()
  do year = 2015, 2017
    call land%update(year, 1, 1, changed, stat=stat, errmsg=errmsg)
    call check()
    call land%get("area_fraction_forest", forest(:, year), stat=stat, errmsg=errmsg)
    call check()
  end do
  if (command_argument_count() > 2) then
    child = fork()
    if (child == 0) then
      call land%update(2018, 1, 1, changed, stat=stat, errmsg=errmsg)
      if (stat == 8 .and. index(errmsg, "fork") > 0) call c_exit(0_c_int)
      call c_exit(3_c_int)
    end if
    if (waitpid(child, code, 0_c_int) /= child .or. code /= 0) error stop 4
  end if
  call land%finalize(stat=stat, errmsg=errmsg)
  call check()
  open (newunit=unit, file=trim(fields), access="stream", form="unformatted", status="replace")
  write (unit) forest
  close (unit)

contains

  subroutine check()
    if (stat == 0) return
    print "(i0, 1x, a)", stat, trim(errmsg)
    error stop 2
  end subroutine check
end program process_host
