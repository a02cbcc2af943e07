package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** What the commands that look into a pod's network say to bad input. */
class PodCommandsTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    CommandLine line = Sund.commandLine(Map.of());
    return line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err)).execute(arguments);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          capture nosuchpod tcp port            | The filter 'tcp port' is not understood at character 9
          capture nosuchpod --duration 5x       | --duration 5x is no time. Write a number
          capture nosuchpod --snaplen 1         | --snaplen 1 is not from 14 to 262144
          capture nosuchpod --buffer 0          | --buffer 0 is not from 1 to 1000
          capture nosuchpod --count 0           | --count 0 is not from 1
          capture nosuchpod tcp port 80         | There is no pod or container nosuchpod on this node. Looked at
          exec-net nosuchpod                    | There is no command to run. Write it after --
          exec-net no/such -- true              | There is no pod no/such on this node. Looked at
          netstat --pod no/such                 | There is no pod no/such on this node. Looked at
          netstat --interval 0s                 | --interval is from 1s to 1h
          """)
  void badInputIsNamedInOneLineWithTheRemedy(String words, String said) {
    assertThat(run(words.split(" "))).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).startsWith("sund: " + said).hasLineCount(1);
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void theTableOfCountersSaysWhatGrewAndHasNoSignsOfTerminals() {
    var rows =
        List.of(
            new dev.sund.doctor.losses.LossRow(
                "softnet.dropped", dev.sund.doctor.losses.LossWeight.LOSS, "queue full", 50, 5, 2),
            new dev.sund.doctor.losses.LossRow(
                "Tcp.RetransSegs", dev.sund.doctor.losses.LossWeight.STRAIN, "again", 7, 0, 2),
            new dev.sund.doctor.losses.LossRow(
                "Udp.NoPorts", dev.sund.doctor.losses.LossWeight.NOTE, "nobody", 0, 0, 2));
    assertThat(String.join("\n", new NetstatText(new Colours(false)).lines(rows, 5, false, 2, "x")))
        .isEqualTo(
            """
            x, 2.0 s: 1 counter of losses grew
            PER SECOND  IN WINDOW          TOTAL  COUNTER          WHAT
                   2.5          5             50  softnet.dropped  queue full
                     -          0              7  Tcp.RetransSegs  again\
            """);
  }
}
