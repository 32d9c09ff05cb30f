! page: begin
!> Land cover of the year from landstep: in src/dyn_subgrid.
module dynLandstepMod
  use ColumnType, only: col
  use GridcellType, only: grc
  use LandunitType, only: lun
  use PatchType, only: patch
  use abortutils, only: endrun
  use clm_instur, only: pct_lake_max, pct_urban_max, urban_valid, wt_cft, wt_lunit, wt_nat_patch
  use clm_time_manager, only: get_prev_date, is_restart
  use clm_varcon, only: ispval
  use clm_varpar, only: cft_lb, cft_ub, natpft_lb, natpft_ub
  use decompMod, only: bounds_type, gindex_global
  use domainMod, only: ldomain
  use landstep, only: land_t
  use landunit_varcon, only: istcrop, istdlak, istice, istsoil, isturb_hd, isturb_md, isturb_tbd, istwet, numurbl
  use shr_kind_mod, only: r8 => shr_kind_r8
  use spmdMod, only: mpicom
  use subgridWeightsMod, only: set_landunit_weight
  implicit none
  private
  public :: dynLandstep_init, dynLandstep_room, dynLandstep_interp, dynLandstep_write_restart, dynLandstep_final

  type(land_t) :: land
  character(*), parameter :: restart_file = "landstep_restart.nc"
  real(r8), allocatable, dimension(:, :) :: own_lunit, own_pft, own_cft !! weights of the surface data
  real(r8), allocatable, dimension(:, :) :: new_lunit, new_pft, new_cft !! of the year
  integer :: stat
  character(512) :: errmsg

contains

  !> In initialize2 of clm_initializeMod.F90, right after surfrd_get_data.
  subroutine dynLandstep_init(begg, endg)
    integer, intent(in) :: begg, endg

    own_lunit = wt_lunit
    own_pft = wt_nat_patch
    own_cft = wt_cft
    allocate (new_lunit, source=own_lunit)
    allocate (new_pft, source=own_pft)
    allocate (new_cft, source=own_cft)
    if (is_restart()) then
      call start(land, begg, endg, restart_file)
    else
      call start(land, begg, endg)
    end if
  end subroutine dynLandstep_init

  !> Right after it, where lakes and towns may come: room for all that come until last_year. The same in a
  !> first run and in continued ones; takes as long as landstep takes for those years.
  subroutine dynLandstep_room(begg, endg, last_year)
    integer, intent(in) :: begg, endg, last_year
    type(land_t) :: whole
    real(r8) :: largest(begg:endg)
    character(11) :: name
    integer :: i

    call start(whole, begg, endg)
    call whole%get_maximum("PCT_LAKE", largest, last_year, stat=stat, errmsg=errmsg)
    if (stat /= 0) call endrun(msg=trim(errmsg))
    pct_lake_max = max(pct_lake_max, largest)
    do i = 1, numurbl
      write (name, "(a, i0)") "PCT_URBAN_", i
      call whole%get_maximum(name, largest, last_year, stat=stat, errmsg=errmsg)
      if (stat /= 0) call endrun(msg=trim(errmsg))
      where (urban_valid) pct_urban_max(:, i) = max(pct_urban_max(:, i), largest)
    end do
    call whole%finalize(stat=stat, errmsg=errmsg)
    if (stat /= 0) call endrun(msg=trim(errmsg))
  end subroutine dynLandstep_room

  subroutine start(one, begg, endg, restart)
    type(land_t), intent(inout) :: one
    integer, intent(in) :: begg, endg
    character(*), intent(in), optional :: restart

    call one%init("experiment.toml", ldomain%lonc(begg:endg), ldomain%latc(begg:endg), area=1.0e6_r8*ldomain%area(begg:endg), &
      index=gindex_global(1:endg - begg + 1) - 1, comm=mpicom, restart=restart, stat=stat, errmsg=errmsg)
    if (stat /= 0) call endrun(msg=trim(errmsg))
    call each_field(one, give)
  end subroutine start

  !> After the calls of dynpft_interp to dynurban_interp, in dynSubgrid_init and in dynSubgrid_driver.
  subroutine dynLandstep_interp(bounds)
    type(bounds_type), intent(in) :: bounds
    integer, parameter :: moving(6) = [istsoil, istcrop, istdlak, isturb_tbd, isturb_hd, isturb_md]
    integer :: year, month, day, seconds, g, i, p
    logical :: changed

    call get_prev_date(year, month, day, seconds)
    call land%update(year, month, day, changed, stat=stat, errmsg=errmsg)
    if (stat /= 0) call endrun(msg=trim(errmsg))
    if (changed) call each_field(land, take)
    do g = bounds%begg, bounds%endg
      do i = 1, size(moving)               ! of what a cell has no landunit for, update_landunit_weights makes vegetation
        if (grc%landunit_indices(moving(i), g) /= ispval) call set_landunit_weight(g, moving(i), new_lunit(g, moving(i)))
      end do
    end do
    do p = bounds%begp, bounds%endp
      g = patch%gridcell(p)
      if (lun%itype(patch%landunit(p)) == istsoil) patch%wtcol(p) = new_pft(g, patch%itype(p))
      if (lun%itype(patch%landunit(p)) == istcrop) col%wtlunit(patch%column(p)) = new_cft(g, patch%itype(p))
    end do
  end subroutine dynLandstep_interp

  !> Go through landstep's fields with the weights that they are.
  subroutine each_field(one, action)
    type(land_t), intent(inout) :: one
    interface
      subroutine action(one, name, own, new)
        import :: land_t, r8
        type(land_t), intent(inout) :: one
        character(*), intent(in) :: name
        real(r8), intent(in) :: own(:)
        real(r8), intent(inout) :: new(:)
      end subroutine action
    end interface
    integer, parameter :: landunit(8) = [istsoil, istcrop, istdlak, isturb_tbd, isturb_hd, isturb_md, istwet, istice]
    character(12), parameter :: name(8) = [character(12) :: "PCT_NATVEG", "PCT_CROP", "PCT_LAKE", "PCT_URBAN_1", &
      "PCT_URBAN_2", "PCT_URBAN_3", "PCT_WETLAND", "PCT_GLACIER"]
    character(16) :: type_name
    integer :: m

    do m = natpft_lb, natpft_ub
      write (type_name, "(a, i0)") "PCT_NAT_PFT_", m
      call action(one, trim(type_name), own_pft(:, m), new_pft(:, m))
    end do
    do m = cft_lb, cft_ub
      write (type_name, "(a, i0)") "PCT_CFT_", m
      call action(one, trim(type_name), own_cft(:, m), new_cft(:, m))
    end do
    do m = 1, size(name)
      call action(one, trim(name(m)), own_lunit(:, landunit(m)), new_lunit(:, landunit(m)))
    end do
  end subroutine each_field

  subroutine give(one, name, own, new)
    type(land_t), intent(inout) :: one
    character(*), intent(in) :: name
    real(r8), intent(in) :: own(:)
    real(r8), intent(inout) :: new(:)

    new = own
    call one%baseline(name, 100*own, stat=stat, errmsg=errmsg)
    if (stat /= 0) call endrun(msg=trim(errmsg))
  end subroutine give

  !> 100*w/100 is not always w: where nothing moved, the weight of the surface data stays.
  subroutine take(one, name, own, new)
    type(land_t), intent(inout) :: one
    character(*), intent(in) :: name
    real(r8), intent(in) :: own(:)
    real(r8), intent(inout) :: new(:)
    real(r8) :: percent(size(own))

    call one%get(name, percent, stat=stat, errmsg=errmsg)
    if (stat /= 0) call endrun(msg=trim(errmsg))
    new = merge(own, percent/100, percent == 100*own)
  end subroutine take

  !> In clm_drv of clm_driver.F90, where rstwr is true.
  subroutine dynLandstep_write_restart()
    call land%write_restart(restart_file, stat=stat, errmsg=errmsg)
    if (stat /= 0) call endrun(msg=trim(errmsg))
  end subroutine dynLandstep_write_restart

  !> At the end of the run, on all ranks.
  subroutine dynLandstep_final()
    call land%finalize(stat=stat, errmsg=errmsg)
    if (stat /= 0) call endrun(msg=trim(errmsg))
  end subroutine dynLandstep_final
end module dynLandstepMod
! page: end

!> CTSM as the driver sees it: land cells 12 degrees apart, dealt out to the ranks in turn.
module host_under_test
  use ColumnType, only: col
  use GridcellType, only: grc
  use LandunitType, only: lun
  use PatchType, only: patch
  use clm_instur, only: pct_lake_max, pct_urban_max, urban_valid, wt_cft, wt_lunit, wt_nat_patch
  use clm_time_manager, only: date, restarted
  use clm_varcon, only: ispval
  use clm_varpar, only: cft_lb, cft_ub, natpft_lb, natpft_ub
  use decompMod, only: bounds_type, gindex_global
  use domainMod, only: ldomain
  use dynLandstepMod, only: dynLandstep_final, dynLandstep_init, dynLandstep_interp, dynLandstep_room, &
    dynLandstep_write_restart
  use host_kit, only: days_noleap, made_up, record_t, run_t
  use landunit_varcon, only: istcrop, istdlak, istsoil, isturb_md, isturb_tbd, max_lunit, numurbl
  use shr_kind_mod, only: r8 => shr_kind_r8
  use spmdMod, only: mpicom
  implicit none
  private
  public :: host_start, host_day, host_days, host_record, host_write_restart, host_end

  type(bounds_type) :: bounds_proc

contains

  subroutine host_start(run)
    type(run_t), intent(in) :: run
    integer :: begg, endg

    mpicom = run%comm
    restarted = run%restarted
    call make_cells(run%rank, run%n_ranks)
    begg = bounds_proc%begg
    endg = bounds_proc%endg
    call make_surface_data(begg, endg)
    if (run%coupled) then
      ! page: begin
      call dynLandstep_init(begg, endg)              ! clm_initializeMod.F90, after surfrd_get_data
      call dynLandstep_room(begg, endg, 2018)        ! the last year of the run
      ! page: end
    end if
    call make_subgrid()
  end subroutine host_start

  subroutine host_day(run, year, month, day)
    type(run_t), intent(in) :: run
    integer, intent(in) :: year, month, day

    date = [year, month, day]
    if (run%coupled) then
      ! page: begin
      call dynLandstep_interp(bounds_proc)           ! dynSubgridDriverMod.F90, after dynurban_interp
      ! page: end
    end if
    call update_landunit_weights()
  end subroutine host_day

  integer function host_days(year, month)
    integer, intent(in) :: year, month

    host_days = days_noleap(month) + 0*year
  end function host_days

  subroutine make_cells(rank, n_ranks)
    integer, intent(in) :: rank, n_ranks
    integer, parameter :: nx = 30, ny = 14
    integer :: i, n, cell

    n = count([(mod(i, n_ranks) == rank, i=0, nx*ny - 1)])
    bounds_proc%begg = 1 + 1000*rank
    bounds_proc%endg = bounds_proc%begg + n - 1
    allocate (gindex_global(n))
    allocate (ldomain%lonc(bounds_proc%begg:bounds_proc%endg))
    allocate (ldomain%latc, ldomain%area, mold=ldomain%lonc)
    do i = 1, n
      cell = (i - 1)*n_ranks + rank
      gindex_global(i) = cell + 1
      ldomain%lonc(bounds_proc%begg + i - 1) = 12.0_r8*mod(cell, nx)
      ldomain%latc(bounds_proc%begg + i - 1) = -78.0_r8 + 12*(cell/nx)
    end do
    ldomain%area = 111.0_r8**2*144*cos(ldomain%latc/57.3_r8)
  end subroutine make_cells

  !> Weights as surfrd_get_data leaves them: each landunit's sum is 1.
  subroutine make_surface_data(begg, endg)
    integer, intent(in) :: begg, endg
    integer :: g, m

    allocate (wt_lunit(begg:endg, max_lunit), wt_nat_patch(begg:endg, natpft_lb:natpft_ub), wt_cft(begg:endg, cft_lb:cft_ub))
    do g = begg, endg
      do m = natpft_lb, natpft_ub
        wt_nat_patch(g, m) = made_up(ldomain%lonc(g), ldomain%latc(g), m) + 0.001_r8
      end do
      wt_nat_patch(g, :) = wt_nat_patch(g, :)/sum(wt_nat_patch(g, :))
      wt_cft(g, cft_lb) = made_up(ldomain%lonc(g), ldomain%latc(g), 20)
      wt_cft(g, cft_ub) = 1 - wt_cft(g, cft_lb)
      wt_lunit(g, :) = 0
      do m = istcrop, max_lunit
        if (m == 3) cycle
        wt_lunit(g, m) = 0.1_r8*made_up(ldomain%lonc(g), ldomain%latc(g), 30 + m)
        if (wt_lunit(g, m) < 0.05_r8) wt_lunit(g, m) = 0
      end do
      wt_lunit(g, istsoil) = 1 - sum(wt_lunit(g, 2:))
    end do
    allocate (pct_lake_max(begg:endg), pct_urban_max(begg:endg, numurbl), urban_valid(begg:endg))
    pct_lake_max = 100*wt_lunit(:, istdlak)
    pct_urban_max = 100*wt_lunit(:, isturb_tbd:isturb_md)
    urban_valid = any(pct_urban_max > 0, dim=2)
  end subroutine make_surface_data

  !> Landunits, columns and patches; towns, lakes, wetlands and ice only where there are some.
  subroutine make_subgrid()
    integer :: g, l, c, p, ltype, m, n

    associate (b => bounds_proc)
      n = (b%endg - b%begg + 1)
      allocate (grc%landunit_indices(max_lunit, b%begg:b%endg), lun%itype(9*n), lun%gridcell(9*n), lun%wtgcell(9*n), &
        col%wtlunit(20*n), patch%gridcell(20*n), patch%landunit(20*n), patch%column(20*n), patch%itype(20*n), &
        patch%wtcol(20*n))
      l = 0
      c = 0
      p = 0
      do g = b%begg, b%endg
        grc%landunit_indices(:, g) = ispval
        do ltype = 1, max_lunit
          if (.not. exists(g, ltype)) cycle
          l = l + 1
          grc%landunit_indices(ltype, g) = l
          lun%itype(l) = ltype
          lun%gridcell(l) = g
          lun%wtgcell(l) = wt_lunit(g, ltype)
          if (ltype == istsoil) then
            c = c + 1
            col%wtlunit(c) = 1
            do m = natpft_lb, natpft_ub
              call add_patch(wt_nat_patch(g, m))
            end do
          else if (ltype == istcrop) then
            do m = cft_lb, cft_ub
              c = c + 1
              col%wtlunit(c) = wt_cft(g, m)
              call add_patch(1.0_r8)
            end do
          end if
        end do
      end do
      b%begl = 1
      b%endl = l
      b%begc = 1
      b%endc = c
      b%begp = 1
      b%endp = p
    end associate
  contains
    logical function exists(g, ltype)
      integer, intent(in) :: g, ltype

      select case (ltype)
      case (istsoil, istcrop)
        exists = .true.
      case (istdlak)
        exists = pct_lake_max(g) > 0
      case (isturb_tbd:isturb_md)
        exists = pct_urban_max(g, ltype - isturb_tbd + 1) > 0
      case default
        exists = wt_lunit(g, ltype) > 0
      end select
    end function exists

    subroutine add_patch(weight)
      real(r8), intent(in) :: weight

      p = p + 1
      patch%gridcell(p) = g
      patch%landunit(p) = l
      patch%column(p) = c
      patch%itype(p) = m
      patch%wtcol(p) = weight
    end subroutine add_patch
  end subroutine make_subgrid

  !> Natural vegetation takes what is left, and gives what is too much.
  subroutine update_landunit_weights()
    real(r8) :: total(bounds_proc%begg:bounds_proc%endg)
    integer :: l, g

    total = 0
    do l = bounds_proc%begl, bounds_proc%endl
      total(lun%gridcell(l)) = total(lun%gridcell(l)) + lun%wtgcell(l)
    end do
    do g = bounds_proc%begg, bounds_proc%endg
      if (abs(total(g) - 1) <= 1.0e-14_r8) cycle
      l = grc%landunit_indices(istsoil, g)
      lun%wtgcell(l) = max(0.0_r8, lun%wtgcell(l) + (1 - total(g)))
    end do
  end subroutine update_landunit_weights

  subroutine host_record(record)
    type(record_t), intent(in) :: record
    integer :: i

    associate (b => bounds_proc)
      call record%add("lun%wtgcell", lun%wtgcell(b%begl:b%endl), & ! room alone is no change
        [(merge(max_lunit*cell(lun%gridcell(i)) + lun%itype(i), -1, lun%wtgcell(i) > 0), i=b%begl, b%endl)])
      call record%add("patch%wtcol", patch%wtcol(b%begp:b%endp), &
        [(20*cell(patch%gridcell(i)) + patch%itype(i), i=b%begp, b%endp)])
      call record%add("col%wtlunit", col%wtlunit(patch%column(b%begp:b%endp)), &
        [(20*cell(patch%gridcell(i)) + patch%itype(i), i=b%begp, b%endp)])
    end associate
  end subroutine host_record

  !> Number of a cell over all ranks.
  integer function cell(g)
    integer, intent(in) :: g

    cell = gindex_global(g - bounds_proc%begg + 1)
  end function cell

  !> CTSM's own restart holds the weights; here the next call sets them all again.
  subroutine host_write_restart(run)
    type(run_t), intent(in) :: run

    if (run%coupled) then
      ! page: begin
      call dynLandstep_write_restart()               ! clm_driver.F90, if (rstwr), after restFile_write
      ! page: end
    end if
  end subroutine host_write_restart

  subroutine host_end(run)
    type(run_t), intent(in) :: run

    if (run%coupled) call dynLandstep_final()
  end subroutine host_end
end module host_under_test
