package dev.sund.cli;

import dev.sund.kernel.KernelException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Turns exceptions into one line on standard error and an exit code; {@code --debug} adds the
 * stack.
 */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
  @Override
  public int handleExecutionException(Exception failure, CommandLine command, ParseResult parsed) {
    command.getErr().println("sund: " + line(failure));
    if (parsed.commandSpec().root().userObject() instanceof Sund sund && sund.debug) {
      failure.printStackTrace(command.getErr());
    }
    command.getErr().flush();
    return failure instanceof CommandFailure known ? known.exitCode() : ExitCode.COULD_NOT_RUN;
  }

  @Override
  public int handleParseException(ParameterException failure, String[] arguments) {
    CommandLine command = failure.getCommandLine();
    PrintWriter err = command.getErr();
    if (isUnknownCommand(failure, command)) {
      String asked = ((UnmatchedArgumentException) failure).getUnmatched().getFirst();
      String nearest =
          nearest(asked, command.getSubcommands().keySet())
              .map(name -> " Did you mean '" + name + "'?")
              .orElse("");
      err.println("sund: there is no command '" + asked + "'." + nearest);
    } else {
      err.println("sund: " + failure.getMessage());
      UnmatchedArgumentException.printSuggestions(failure, err);
    }
    err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    err.flush();
    return ExitCode.BAD_INPUT;
  }

  private static boolean isUnknownCommand(ParameterException failure, CommandLine command) {
    return failure instanceof UnmatchedArgumentException unmatched
        && command.getSubcommands().size() > 0
        && !unmatched.getUnmatched().getFirst().startsWith("-");
  }

  /** The name that is typed with the fewest changes, if these are at most two. */
  private static Optional<String> nearest(String asked, Set<String> names) {
    return names.stream()
        .filter(name -> distance(asked, name) <= 2)
        .min(Comparator.comparingInt(name -> distance(asked, name)));
  }

  /** How many letters must be put in, left out, replaced or swapped with their neighbour. */
  private static int distance(String from, String to) {
    int[][] cost = new int[from.length() + 1][to.length() + 1];
    for (int i = 0; i <= from.length(); i++) {
      for (int j = 0; j <= to.length(); j++) {
        if (i == 0 || j == 0) {
          cost[i][j] = i + j;
          continue;
        }
        int replaced = from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1;
        cost[i][j] =
            Math.min(cost[i - 1][j - 1] + replaced, 1 + Math.min(cost[i - 1][j], cost[i][j - 1]));
        if (i > 1
            && j > 1
            && from.charAt(i - 1) == to.charAt(j - 2)
            && from.charAt(i - 2) == to.charAt(j - 1)) {
          cost[i][j] = Math.min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
      }
    }
    return cost[from.length()][to.length()];
  }

  /** The failure in one line: what happened, and what to do when that is known. */
  static String line(Exception failure) {
    String message =
        failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
    return switch (failure) {
      case CommandFailure known -> message + " " + known.remedy();
      case NoSuchFileException missing ->
          missing.getFile() + ": there is no such file. Check the path.";
      case AccessDeniedException denied ->
          denied.getFile() + ": permission denied. Run it as root, by sudo.";
      case KernelException.Denied denied -> message + ". Run it as root, by sudo.";
      case IOException io -> message;
      case IllegalArgumentException argument -> message;
      case Exception bug ->
          failure.getClass().getSimpleName()
              + ": "
              + message
              + " This is a fault of sund: run it again with --debug and report what it prints.";
    };
  }
}
