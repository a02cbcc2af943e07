package dev.sund.cli;

import java.util.LinkedHashMap;
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
    })
public final class Sund implements Runnable {
  /** Every command by its name, in the order in which the help lists them. */
  private static final Map<String, Class<?>> COMMANDS = new LinkedHashMap<>();

  static {
    COMMANDS.put("lab", LabCommand.class);
    COMMANDS.put("trace", TraceCommand.class);
    COMMANDS.put("audit", AuditCommand.class);
    COMMANDS.put("whatif", WhatIfCommand.class);
    COMMANDS.put("agent", AgentCommand.class);
    COMMANDS.put("doctor", DoctorCommand.class);
    COMMANDS.put("tune", TuneCommand.class);
    COMMANDS.put("answer", AnswerCommand.class);
    COMMANDS.put("report", ReportCommand.class);
    COMMANDS.put("status", StatusCommand.class);
    COMMANDS.put("service", ServiceCommand.class);
    COMMANDS.put("policy", PolicyCommand.class);
    COMMANDS.put("drops", DropsCommand.class);
    COMMANDS.put("netstat", NetstatCommand.class);
    COMMANDS.put("capture", CaptureCommand.class);
    COMMANDS.put("exec-net", ExecNetCommand.class);
    COMMANDS.put("ipam", IpamCommand.class);
    COMMANDS.put("verify", VerifyCommand.class);
    COMMANDS.put("snapshot", SnapshotCommand.class);
    COMMANDS.put("import", ImportCommand.class);
    COMMANDS.put("cleanup", CleanupCommand.class);
    COMMANDS.put("takeover", TakeoverCommand.class);
    COMMANDS.put("test", TestCommand.class);
    COMMANDS.put("bench", BenchCommand.class);
    COMMANDS.put("dist", DistCommand.class);
    COMMANDS.put("image", ImageCommand.class);
    COMMANDS.put("completion", CompletionCommand.class);
    COMMANDS.put("version", VersionCommand.class);
  }

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
    return commandLine(environment, COMMANDS);
  }

  /**
   * As much of the command line as these arguments need: reading what all commands take is a fifth
   * of the time in which an agent is to be ready.
   */
  static CommandLine commandLine(Map<String, String> environment, String... arguments) {
    Class<?> asked = arguments.length == 0 ? null : COMMANDS.get(arguments[0]);
    return asked == null || asked == CompletionCommand.class
        ? commandLine(environment, COMMANDS)
        : commandLine(environment, Map.of(arguments[0], asked));
  }

  private static CommandLine commandLine(
      Map<String, String> environment, Map<String, Class<?>> commands) {
    Failures failures = new Failures();
    CommandLine line = new CommandLine(new Sund());
    commands.forEach(line::addSubcommand);
    line.setExecutionExceptionHandler(failures)
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
