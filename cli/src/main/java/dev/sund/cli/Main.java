package dev.sund.cli;

/** Where {@code ./sund} enters Java. */
public final class Main {
  private Main() {}

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] arguments) {
    System.exit(Sund.commandLine(System.getenv(), arguments).execute(arguments));
  }
}
