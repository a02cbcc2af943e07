package dev.sund.cli;

/** A reason why a command ends early that a person can act on; printed as one line. */
public final class CommandFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int exitCode;
  private final String remedy;

  private CommandFailure(int exitCode, String message, String remedy) {
    super(message);
    this.exitCode = exitCode;
    this.remedy = remedy;
  }

  /** An argument or a file cannot be used: exit code {@link ExitCode#BAD_INPUT}. */
  public static CommandFailure badInput(String message, String remedy) {
    return new CommandFailure(ExitCode.BAD_INPUT, message, remedy);
  }

  /** The machine does not let the command work: exit code {@link ExitCode#COULD_NOT_RUN}. */
  public static CommandFailure couldNotRun(String message, String remedy) {
    return new CommandFailure(ExitCode.COULD_NOT_RUN, message, remedy);
  }

  /** The exit code of the process. */
  public int exitCode() {
    return exitCode;
  }

  /** One sentence: what the reader should do. */
  public String remedy() {
    return remedy;
  }
}
