!> What a run of the example host is: its namelist.
module example_settings
  use example_energy, only: cover_names, cover_row
  use example_points, only: division_names
  implicit none
  private
  public :: settings_t, settings_read, settings_problem, path_length

  integer, parameter :: path_length = 4096

  !> The namelist, group host; a blank path is none.
  type :: settings_t
    character(path_length) :: experiment = "experiment.toml", points_file = "points.nc"
    character(path_length) :: results_file = "results.nc"
    character(path_length) :: restart_in = "", restart_out = ""           !! landstep's restart files
    character(path_length) :: host_restart_in = "", host_restart_out = "" !! the host's own
    character(1024) :: covers = "ocean,urban,cropland,pasture,forest,grass_shrub,other_land,water"
    character(16) :: start = ""             !! of landstep; blank: restart where there is one, else initial
    character(16) :: exchange = "day"       !! landstep is spoken to every day, or every month
    character(16) :: division = "blocks"    !! of points among ranks: see part_of_rank
    integer :: first_year = 0, last_year = 0
    logical :: coupled = .true.             !! false: the host runs alone, on fractions of its own
    logical :: climate = .false.            !! tell landstep the host's air temperature and precipitation
    logical :: thread_multiple = .false.    !! start MPI with MPI_THREAD_MULTIPLE
    real :: warming = 0.0                   !! K, added to the host's air
  end type settings_t

contains

  !> Read a namelist file.
  subroutine settings_read(path, settings, stat, errmsg)
    character(*), intent(in) :: path
    type(settings_t), intent(out) :: settings
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    character(path_length) :: experiment, points_file, results_file, restart_in, restart_out
    character(path_length) :: host_restart_in, host_restart_out
    character(1024) :: covers
    character(16) :: start, exchange, division
    integer :: first_year, last_year, unit
    logical :: coupled, climate, thread_multiple
    real :: warming
    namelist /host/ experiment, points_file, results_file, restart_in, restart_out, host_restart_in, &
      host_restart_out, covers, start, exchange, division, first_year, last_year, coupled, climate, &
      thread_multiple, warming

    call defaults(settings)
    open (newunit=unit, file=path, status="old", action="read", iostat=stat, iomsg=errmsg)
    if (stat == 0) then
      read (unit, nml=host, iostat=stat, iomsg=errmsg)
      close (unit)
    end if
    if (stat /= 0) then
      errmsg = path//": "//errmsg
      return
    end if
    settings = settings_t(experiment, points_file, results_file, restart_in, restart_out, host_restart_in, &
      host_restart_out, covers, start, exchange, division, first_year, last_year, coupled, climate, &
      thread_multiple, warming)
    call settings_problem(settings, stat, errmsg)

  contains

    subroutine defaults(from)
      type(settings_t), intent(in) :: from

      experiment = from%experiment
      points_file = from%points_file
      results_file = from%results_file
      restart_in = from%restart_in
      restart_out = from%restart_out
      host_restart_in = from%host_restart_in
      host_restart_out = from%host_restart_out
      covers = from%covers
      start = from%start
      exchange = from%exchange
      division = from%division
      first_year = from%first_year
      last_year = from%last_year
      coupled = from%coupled
      climate = from%climate
      thread_multiple = from%thread_multiple
      warming = from%warming
    end subroutine defaults
  end subroutine settings_read

  !> Say what a run cannot be: stat 1 and the text.
  subroutine settings_problem(settings, stat, errmsg)
    type(settings_t), intent(in) :: settings
    integer, intent(out) :: stat
    character(*), intent(inout) :: errmsg
    integer :: i

    stat = 1
    associate (covers => cover_names(trim(settings%covers)))
      do i = 1, size(covers)
        if (cover_row(covers(i)) > 0) cycle
        errmsg = "the host has no surface values for cover '"//trim(covers(i))//"'"
        return
      end do
    end associate
    if (settings%exchange /= "day" .and. settings%exchange /= "month") then
      errmsg = "exchange is '"//trim(settings%exchange)//"', expected 'day' or 'month'"
    else if (all(settings%division /= division_names)) then
      errmsg = "division is '"//trim(settings%division)//"', expected 'blocks', 'round_robin', 'uneven' or 'empty'"
    else if (settings%coupled .and. ((settings%restart_in == "") .neqv. (settings%host_restart_in == ""))) then
      errmsg = "restart_in and host_restart_in go together: landstep's restart file and the host's own"
    else
      stat = 0
    end if
  end subroutine settings_problem
end module example_settings
