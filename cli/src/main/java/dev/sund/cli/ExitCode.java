package dev.sund.cli;

/** The exit codes of every {@code sund} command. */
public final class ExitCode {
  /** All is as it should be. */
  public static final int OK = 0;

  /** The command ran, and what it looked at differs from what is wanted, or a test failed. */
  public static final int DIFFERS = 1;

  /** An argument, a file or an object in it cannot be used. */
  public static final int BAD_INPUT = 2;

  /** The command could not do its work: no permission, no memory, no kernel feature. */
  public static final int COULD_NOT_RUN = 3;

  /** The kernel does something else with a packet than the program says. */
  public static final int KERNEL_DIFFERS = 4;

  private ExitCode() {}
}
