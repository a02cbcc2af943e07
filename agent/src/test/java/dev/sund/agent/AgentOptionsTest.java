package dev.sund.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AgentOptionsTest {
  @Test
  void anAddressForThePagesIsHostAndPort() {
    assertThat(AgentOptions.parseHttp("127.0.0.1:9470")).hasToString("/127.0.0.1:9470");
    assertThat(AgentOptions.parseHttp("[::1]:0").getPort()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "9470", ":9470", "127.0.0.1:", "127.0.0.1:70000", "::1:9470", "a:b"})
  void anythingElseIsRefused(String text) {
    assertThatThrownBy(() -> AgentOptions.parseHttp(text))
        .hasMessage("'" + text + "' is not HOST:PORT, such as 127.0.0.1:9470 or [::1]:9470");
  }
}
