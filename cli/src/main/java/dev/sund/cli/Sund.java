package dev.sund.cli;

import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command {@code sund} itself: prints what there is. */
@Command(
    name = "sund",
    header = "Sund, the network of a Kubernetes cluster that explains every verdict.",
    synopsisSubcommandLabel = "COMMAND",
    scope = ScopeType.INHERIT,
    versionProvider = Version.class,
    sortOptions = false,
    usageHelpAutoWidth = true,
    optionListHeading = "%nOptions:%n",
    commandListHeading = "%nCommands:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:all is as it should be",
      "1:something differs or failed",
      "2:bad input: an argument, a file or an object in it",
      "3:could not run"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  sudo ./sund lab            a cluster of network namespaces, predicted and measured",
      "  sudo ./sund test           every behaviour once",
      "  ./sund trace --help        one command's own options and examples"
    },
    subcommands = {
      LabCommand.class,
      TraceCommand.class,
      AuditCommand.class,
      WhatIfCommand.class,
      AgentCommand.class,
      DoctorCommand.class,
      StatusCommand.class,
      ServiceCommand.class,
      PolicyCommand.class,
      DropsCommand.class,
      IpamCommand.class,
      VerifyCommand.class,
      SnapshotCommand.class,
      ImportCommand.class,
      CleanupCommand.class,
      TakeoverCommand.class,
      TestCommand.class,
      BenchCommand.class,
      DistCommand.class,
      ImageCommand.class,
      CompletionCommand.class,
      VersionCommand.class
    })
public final class Sund implements Runnable {
  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Print the stack when a command fails.")
  boolean debug;

  @Option(
      names = "--no-color",
      scope = ScopeType.INHERIT,
      description = "Print no colours; so does NO_COLOR in the environment.")
  boolean noColor;

  @Option(
      names = "--no-install",
      scope = ScopeType.INHERIT,
      description = "Install no Debian packages: say which are missing and end.")
  boolean noInstall;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Print this help.")
  boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Print the version.")
  boolean version;

  private boolean plain;

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** Whether colours may be printed: to a terminal, unless they are forbidden. */
  boolean colors() {
    return !plain && Ansi.AUTO.enabled();
  }

  /** The whole command line, ready to parse and run. */
  static CommandLine commandLine(Map<String, String> environment) {
    Failures failures = new Failures();
    CommandLine line =
        new CommandLine(new Sund())
            .setExecutionExceptionHandler(failures)
            .setParameterExceptionHandler(failures)
            .setCaseInsensitiveEnumValuesAllowed(true);
    line.setExecutionStrategy(parsed -> {
      Sund sund = (Sund) parsed.commandSpec().root().userObject();
      sund.plain = sund.noColor || !environment.getOrDefault("NO_COLOR", "").isEmpty();
      if (sund.plain) {
        line.setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF));
      }
      return new CommandLine.RunLast().execute(parsed);
    });
    return line;
  }
}
