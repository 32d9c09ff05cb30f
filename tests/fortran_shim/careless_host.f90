!> A host that does everything wrong once and goes on: careless_host EXPERIMENT REPORT RESTART.
!> A line of the report is "what: stat text". With EXPERIMENT alone it calls init without stat.
program careless_host
  use landstep, only: land_t
  implicit none

  integer, parameter :: r4 = selected_real_kind(6), r8 = selected_real_kind(13)
  real(r8), parameter :: lon(3) = [-29.31_r8, 330.7_r8, 20.0_r8], lat(3) = [49.5_r8, 49.51_r8, 49.5_r8]
  real(r8), parameter :: half(2) = [-0.125_r8, 0.125_r8]
  type(land_t) :: land, other
  character(4096) :: experiment, report_file, restart
  character(2000) :: text
  character(24) :: short_text
  real(r8) :: values(3), before(3), few(2), table(1, 3), lon_bounds(2, 3), lat_bounds(2, 3)
  real(r4) :: singles(3), single_table(1, 3)
  integer :: stat, report, i
  logical :: changed

  call get_command_argument(1, experiment)
  if (command_argument_count() == 1) call land%init(experiment, lon, lat)
  call get_command_argument(2, report_file)
  call get_command_argument(3, restart)
  open (newunit=report, file=trim(report_file), status="replace", action="write")
  text = ""
  do i = 1, 3
    lon_bounds(:, i) = real(real(lon(i), r4), r8) + half
    lat_bounds(:, i) = real(real(lat(i), r4), r8) + half
  end do

  call land%update(2015, 1, 1, changed, stat, text)
  call tell("update before init")
  call land%get("dominant_class", values, stat, text)
  call tell("get before init")
  call land%finalize(stat, text)
  call tell("finalize before init")
  call land%init("no_such.toml", lon, lat, year=2015, stat=stat, errmsg=text)
  call tell("wrong file")
  call land%init(experiment, lon, lat(:2), year=2015, stat=stat, errmsg=text)
  call tell("lon and lat differ")
  call land%init(experiment, lon, lat, lon_bounds(:, :2), lat_bounds, year=2015, stat=stat, errmsg=text)
  call tell("bounds of another shape")
  call land%init(experiment, lon, [49.5_r8, 49.8_r8, 5.5e6_r8], year=2015, stat=stat, errmsg=text)
  call tell("latitude in metres")
  call land%init(experiment, lon, lat, year=2015, stat=stat, errmsg=text)
  call tell("init")
  call land%init(experiment, lon, lat, year=2015, stat=stat, errmsg=text)
  call tell("init twice")
  call land%get("dominant_class", values, stat, text)
  call tell("get before update")
  call land%put("air_temperature", values, stat=stat, errmsg=text)
  call tell("put before update")
  call land%baseline("area_fraction_forest", [0.5_r8, 0.5_r8], stat, text)
  call tell("short baseline")
  call land%update(2015, 1, 1, changed)
  call land%baseline("area_fraction_forest", [0.5_r8, 0.5_r8, 0.5_r8], stat, text)
  call tell("late baseline")
  call land%put("air_temperature", [5.0_r8, 6.0_r8, 7.0_r8], units="furlong", stat=stat, errmsg=text)
  call tell("wrong units")
  call land%get_change("area_fraction_forest", values, before, stat, text)
  call tell("change of a field")
  call land%get_change("forest", values, few, stat, text)
  call tell("change in two lengths")
  call land%get("area_fraction_forrest", values, stat, text)
  call tell("misspelt field")
  few = -7
  call land%get("area_fraction_forest", few, stat, text)
  call tell("short array")
  stat = 0
  call tell_truth("array untouched", all(nint(few) == -7))
  call land%get("area_fraction_forest", before)
  call land%update(2031, 1, 1, changed, stat, text)
  call tell("skipped year")
  call land%update(1999, 1, 1, changed, stat, text)
  call tell("year back")
  call land%update(2015, 13, 1, changed, stat, text)
  call tell("month 13")
  call land%write_restart("/nowhere/at/all.nc", stat, text)
  call tell("restart nowhere")
  call land%get("area_fraction_forest   ", values, stat, text)
  if (stat == 0) call land%update(2015, 1, 2, changed, stat, text)
  call tell_truth("goes on", .not. changed .and. all(abs(values - before) <= 0))
  call land%update(2015, 12, 31, changed, stat, text)
  call tell_truth("same year", changed)

  call land%get("area_fraction_forest", singles, stat, text)
  call tell_truth("real32 equals real64", all(abs(singles - real(values, r4)) <= 0))
  call other%init(experiment, reshape(lon, [1, 3]), reshape(lat, [1, 3]), year=2015, stat=stat, errmsg=text)
  if (stat == 0) call other%update(2015, 1, 1, changed, stat, text)
  if (stat == 0) call other%get("area_fraction_forest", table, stat, text)
  if (stat == 0) call other%get("area_fraction_forest", single_table, stat, text)
  call tell_truth("two dimensions", all(abs(table(1, :) - values) <= 0) .and. &
    all(abs(single_table(1, :) - singles) <= 0))
  call other%finalize()
  call other%init(experiment, real(lon, r4), real(lat, r4), real(lon_bounds, r4), real(lat_bounds, r4), &
    year=2015, stat=stat, errmsg=text)
  if (stat == 0) call other%update(2015, 1, 1, changed, stat, text)
  if (stat == 0) call other%get("area_fraction_forest", before, stat, text)
  call other%finalize()
  call other%init(experiment, reshape(real(lon, r4), [3, 1]), reshape(real(lat, r4), [3, 1]), &
    reshape(real(lon_bounds, r4), [2, 3, 1]), reshape(real(lat_bounds, r4), [2, 3, 1]), year=2015, &
    stat=stat, errmsg=text)
  if (stat == 0) call other%update(2015, 1, 1, changed, stat, text)
  if (stat == 0) call other%get("area_fraction_forest", values, stat, text)
  call tell_truth("bounds in two kinds", all(abs(before - values) <= 0) .and. values(1) > 0)
  call other%finalize()

  call land%write_restart(restart, stat, text)
  call tell("restart")
  call land%get("åååååååååååååååååååååååååååååååå", values, stat, short_text)
  text = short_text
  call tell("short message")
  call land%finalize(stat, text)
  call tell("finalize")
  call land%finalize(stat, text)
  call tell("finalize twice")
  call land%init(experiment, lon, lat, restart=restart, stat=stat, errmsg=text)
  if (stat == 0) call land%update(2016, 1, 1, changed, stat, text)
  call tell_truth("from the restart", changed)
  call land%finalize(stat, text)
  call tell("open again")
  close (report)

contains

  subroutine tell(what)
    character(*), intent(in) :: what

    if (stat == 0) text = ""
    write (report, "(2a, i0, 2a)") what, ": ", stat, " ", trim(text)
    text = ""
  end subroutine tell

  subroutine tell_truth(what, truth)
    character(*), intent(in) :: what
    logical, intent(in) :: truth

    if (stat == 0) text = merge("T", "F", truth)
    write (report, "(2a, i0, 2a)") what, ": ", stat, " ", trim(text)
    text = ""
  end subroutine tell_truth
end program careless_host
