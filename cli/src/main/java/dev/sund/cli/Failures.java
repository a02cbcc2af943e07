package dev.sund.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
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
    command.getErr().println(command.getColorScheme().errorText("sund: " + line(failure)));
    if (parsed.commandSpec().root().userObject() instanceof Sund sund && sund.debug) {
      failure.printStackTrace(command.getErr());
    }
    command.getErr().flush();
    return failure instanceof CommandFailure known ? known.exitCode() : ExitCode.COULD_NOT_RUN;
  }

  @Override
  public int handleParseException(ParameterException failure, String[] arguments) {
    CommandLine command = failure.getCommandLine();
    command.getErr().println(command.getColorScheme().errorText("sund: " + failure.getMessage()));
    UnmatchedArgumentException.printSuggestions(failure, command.getErr());
    command.getErr().println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    command.getErr().flush();
    return ExitCode.BAD_INPUT;
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
