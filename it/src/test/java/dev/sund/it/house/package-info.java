/**
 * What holds for the whole of the sources: the arrows between modules, who may do what, names, and
 * the launcher.
 */
package dev.sund.it.house;
