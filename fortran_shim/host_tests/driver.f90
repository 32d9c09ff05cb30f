!> Drives the stand-in of a host, day by day, and records its fields: host_test, in a folder that holds
!> run.nml and experiment.toml. Module host_under_test is the host's: docs/host-tests.md.
program host_test
  use host_kit, only: record_t, run_t
  use host_ranks, only: ranks_begin, ranks_end
  use host_under_test, only: host_day, host_days, host_end, host_record, host_start, host_write_restart
  implicit none

  type(run_t) :: run
  type(record_t) :: record
  integer :: first(3), last(3), restart_at(3) !! year, month, day; restarts are written after that day
  logical :: coupled, restarted
  character(16) :: rank
  integer :: unit
  namelist /run_of_host/ first, last, restart_at, coupled, restarted

  restart_at = 0
  open (newunit=unit, file="run.nml", status="old", action="read")
  read (unit, nml=run_of_host)
  close (unit)
  run%coupled = coupled
  run%restarted = restarted
  run%first = first
  call ranks_begin(run)
  write (rank, "(i0)") run%rank
  open (newunit=record%dates_unit, file="dates."//trim(rank)//".txt", status="replace", action="write")
  open (newunit=record%values_unit, file="values."//trim(rank)//".txt", status="replace", action="write")

  call host_start(run)
  record%year = first(1)
  record%month = first(2)
  record%day = first(3)
  do
    call host_day(run, record%year, record%month, record%day)
    record%with_values = record%month == 12 .and. record%day == host_days(record%year, 12)
    call host_record(record)
    if (all([record%year, record%month, record%day] == restart_at)) call host_write_restart(run)
    if (all([record%year, record%month, record%day] == last)) exit
    call next_day(record%year, record%month, record%day)
  end do
  call host_end(run)
  close (record%dates_unit)
  close (record%values_unit)
  call ranks_end()

contains

  !> Go on by a day, by the host's calendar.
  subroutine next_day(year, month, day)
    integer, intent(inout) :: year, month, day

    day = day + 1
    if (day <= host_days(year, month)) return
    day = 1
    month = month + 1
    if (month <= 12) return
    month = 1
    year = year + 1
  end subroutine next_day
end program host_test
