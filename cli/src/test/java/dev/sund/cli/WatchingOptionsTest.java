package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.agent.Watching;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What {@code sund agent} is told to look at. */
class WatchingOptionsTest {
  private static Watching of(String... words) {
    AgentCommand command = new AgentCommand();
    new CommandLine(command).parseArgs(words);
    return command.watching.watching();
  }

  private static Watching with(String... words) {
    String[] all = new String[words.length + 2];
    all[0] = "--node";
    all[1] = "n1";
    System.arraycopy(words, 0, all, 2, words.length);
    return of(all);
  }

  @Test
  void nothingSaidIsAsUsual() {
    assertThat(with()).isEqualTo(Watching.DEFAULT);
  }

  @Test
  void zeroSwitchesOff() {
    Watching off = with("--doctor-period", "0", "--peer-port", "0");
    assertThat(off.checks().on()).isFalse();
    assertThat(off.peers().on()).isFalse();
  }

  @Test
  void limitsAreTaken() {
    Watching set =
        with("--peer-rtt", "2", "--peer-jitter", "1.5", "--peer-loss", "0", "--peers", "3");
    assertThat(set.peers().limits().roundTripMillis()).isEqualTo(2);
    assertThat(set.peers().limits().jitterMillis()).isEqualTo(1.5);
    assertThat(set.peers().limits().lossPercent()).isZero();
    assertThat(set.peers().most()).isEqualTo(3);
    assertThat(with("--doctor-period", "300").checks().period()).isEqualTo(Duration.ofMinutes(5));
  }

  @Test
  void whatCannotBeUsedIsNamed() {
    assertThatThrownBy(() -> with("--peer-port", "70000"))
        .isInstanceOf(CommandFailure.class)
        .hasMessageContaining("peer port")
        .hasMessageContaining("70000");
    assertThatThrownBy(() -> with("--peer-loss", "101")).hasMessageContaining("101.0 percent");
    assertThatThrownBy(() -> with("--peer-rtt", "0")).hasMessageContaining("above 0");
    assertThatThrownBy(() -> with("--doctor-period", "-1")).hasMessageContaining("-1 s");
    assertThatThrownBy(() -> with("--peers", "100")).hasMessageContaining("number of peers");
    assertThatThrownBy(() -> with("--host-root", "/nowhere/at/all"))
        .hasMessageContaining("--host-root /nowhere/at/all is no folder");
  }
}
