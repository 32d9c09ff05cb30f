! CTSM's names, kinds and shapes, as far as the page's lines need them; all values are made up.
! Grid cells have nine landunits at most, fifteen natural patches on one column, two crops on two.
! host-test: flags = -O2
! host-test: flags = -g -O0 -fcheck=all -ffpe-trap=invalid,zero,overflow -finit-real=snan
! host-test: ranks = 2
module shr_kind_mod
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none
  integer, parameter :: shr_kind_r8 = real64
end module shr_kind_mod

module landunit_varcon
  implicit none
  integer, parameter :: istsoil = 1, istcrop = 2, istice = 4, istdlak = 5, istwet = 6
  integer, parameter :: isturb_tbd = 7, isturb_hd = 8, isturb_md = 9, max_lunit = 9, numurbl = 3
end module landunit_varcon

module clm_varcon
  implicit none
  integer, parameter :: ispval = -9999
end module clm_varcon

module clm_varpar
  implicit none
  integer, parameter :: natpft_lb = 0, natpft_ub = 14, cft_lb = 15, cft_ub = 16
end module clm_varpar

module spmdMod
  implicit none
  integer :: mpicom
end module spmdMod

module abortutils
  implicit none
contains
  subroutine endrun(msg)
    character(*), intent(in) :: msg

    print "(2a)", "ENDRUN: ", msg
    error stop
  end subroutine endrun
end module abortutils

module clm_time_manager
  implicit none
  integer :: date(3)
  logical :: restarted
contains
  !> The date at the start of the time step.
  subroutine get_prev_date(yr, mon, day, tod)
    integer, intent(out) :: yr, mon, day, tod

    yr = date(1)
    mon = date(2)
    day = date(3)
    tod = 0
  end subroutine get_prev_date

  logical function is_restart()
    is_restart = restarted
  end function is_restart
end module clm_time_manager

module decompMod
  implicit none
  type bounds_type
    integer :: begg, endg, begl, endl, begc, endc, begp, endp
  end type bounds_type
  integer, pointer :: gindex_global(:) !! number of the cell over all ranks, from 1, oceans too
end module decompMod

module domainMod
  use shr_kind_mod, only: r8 => shr_kind_r8
  implicit none
  type domain_type
    real(r8), pointer :: latc(:), lonc(:), area(:) !! degrees, degrees, km2
  end type domain_type
  type(domain_type) :: ldomain
end module domainMod

module clm_instur
  use shr_kind_mod, only: r8 => shr_kind_r8
  implicit none
  real(r8), pointer :: wt_lunit(:, :), wt_nat_patch(:, :), wt_cft(:, :)
  real(r8), pointer :: pct_lake_max(:), pct_urban_max(:, :)
  logical, pointer :: urban_valid(:)
end module clm_instur

module GridcellType
  implicit none
  type gridcell_type
    integer, pointer :: landunit_indices(:, :)
  end type gridcell_type
  type(gridcell_type) :: grc
end module GridcellType

module LandunitType
  use shr_kind_mod, only: r8 => shr_kind_r8
  implicit none
  type landunit_type
    integer, pointer :: itype(:), gridcell(:)
    real(r8), pointer :: wtgcell(:)
  end type landunit_type
  type(landunit_type) :: lun
end module LandunitType

module ColumnType
  use shr_kind_mod, only: r8 => shr_kind_r8
  implicit none
  type column_type
    real(r8), pointer :: wtlunit(:)
  end type column_type
  type(column_type) :: col
end module ColumnType

module PatchType
  use shr_kind_mod, only: r8 => shr_kind_r8
  implicit none
  type patch_type
    integer, pointer :: gridcell(:), landunit(:), column(:), itype(:)
    real(r8), pointer :: wtcol(:)
  end type patch_type
  type(patch_type) :: patch
end module PatchType

module subgridWeightsMod
  use GridcellType, only: grc
  use LandunitType, only: lun
  use abortutils, only: endrun
  use clm_varcon, only: ispval
  use shr_kind_mod, only: r8 => shr_kind_r8
  implicit none
contains
  subroutine set_landunit_weight(g, ltype, weight)
    integer, intent(in) :: g, ltype
    real(r8), intent(in) :: weight

    if (grc%landunit_indices(ltype, g) /= ispval) then
      lun%wtgcell(grc%landunit_indices(ltype, g)) = weight
    else if (weight > 0) then
      call endrun("set_landunit_weight: no such landunit")
    end if
  end subroutine set_landunit_weight
end module subgridWeightsMod
