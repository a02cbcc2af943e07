/**
 * Settings of the kernel that suit this machine: planned from what the doctor's checks find, set
 * with all that was there before kept, and put back.
 *
 * <pre>
 *  checks ─ findings with settings ─► TunePlan ─► Tuner ─► files, modules, running values
 *                                                   └─► TuneState (what was before) ─► revert
 * </pre>
 *
 * <p>No key is known here: what is right, and why, stands in the checks alone.
 */
package dev.sund.doctor.tune;
