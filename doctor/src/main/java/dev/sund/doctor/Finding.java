package dev.sund.doctor;

/**
 * One thing that is wrong.
 *
 * @param severity how bad it is here
 * @param object what it is about: a device, a sysctl, a table
 * @param text what was found, with the numbers; whole sentences
 * @param why what it does to the network; whole sentences
 * @param remedy a command or a setting that mends it
 */
public record Finding(Severity severity, String object, String text, String why, String remedy) {}
