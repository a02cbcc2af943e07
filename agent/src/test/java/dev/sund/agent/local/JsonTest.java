package dev.sund.agent.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonTest {
  @Test
  void whatIsWrittenIsReadBack() throws Exception {
    Map<String, Object> value =
        Map.of(
            "text",
            "å \"quoted\" \n line",
            "number",
            7L,
            "ratio",
            0.5,
            "flag",
            true,
            "list",
            List.of("a", Map.of("b", List.of())));
    assertThat(parse(Json.write(value))).isEqualTo(value);
  }

  @Test
  void nullIsLeftOut() throws Exception {
    assertThat(parse("{\"a\":null,\"b\":[null,1]}")).isEqualTo(Map.of("b", List.of(1L)));
  }

  @Test
  void whatIsMalformedIsSaidWithItsPlace() {
    assertMalformed("", "a JSON object is expected");
    assertMalformed("[]", "a JSON object is expected");
    assertMalformed("{} {}", "text follows the JSON object");
    assertMalformed("{\"a\":1,\n\"b\" 2}", "line 2, column");
    assertMalformed("{\"a\":1,\"a\":2}", "Duplicate field 'a'");
    assertMalformed("{\"a\":" + "[".repeat(100), "nested deeper than 64 levels");
    assertMalformed("{\"a\":99999999999999999999}", "not well-formed JSON");
  }

  private static void assertMalformed(String text, String message) {
    assertThatThrownBy(() -> parse(text))
        .isInstanceOf(Json.MalformedException.class)
        .hasMessageContaining(message);
  }

  private static Map<String, Object> parse(String text) throws Json.MalformedException {
    return Json.object(text.getBytes(StandardCharsets.UTF_8));
  }
}
