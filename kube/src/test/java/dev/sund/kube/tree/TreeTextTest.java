package dev.sund.kube.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TreeTextTest {
  private static List<Tree> yaml(String text) throws MalformedException {
    List<Tree> found = new ArrayList<>();
    YamlTrees.read(
        text,
        new DocumentSink() {
          @Override
          public void item(Tree item) {
            found.add(item);
          }

          @Override
          public void document(Tree document) {
            found.add(document);
          }
        });
    return found;
  }

  private static String asJson(String yaml) throws MalformedException {
    return JsonText.of(yaml(yaml).getFirst());
  }

  @Test
  void yamlBecomesTheJsonThatKubectlWouldSend() throws MalformedException {
    assertThat(asJson("a: yes\nb: 'yes'\nc: 1\nd: 1.5\ne: ~\nf: 2026-01-31\ng:\nh: 0x10"))
        .isEqualTo(
            "{\"a\":true,\"b\":\"yes\",\"c\":1,\"d\":1.5,\"e\":null,\"f\":\"2026-01-31\","
                + "\"g\":null,\"h\":16}");
    assertThat(asJson("text: |\n  one\n  two\nlist: [a, {b: c}]"))
        .isEqualTo("{\"text\":\"one\\ntwo\\n\",\"list\":[\"a\",{\"b\":\"c\"}]}");
    assertThat(asJson("[+3, -0x1F, 0o17, 017, 1_000, 0, '+3', +3.5, 08]"))
        .isEqualTo("[3,-31,15,15,1000,0,\"+3\",\"+3.5\",\"08\"]");
    assertThat(asJson("!!str 5")).isEqualTo("\"5\"");
  }

  @Test
  void jsonTextIsReadBackAsItWas() throws MalformedException {
    String json = "{\"a\":[1,-2.5e3,true,null,\"\\u0000\\n\\\"\\\\\\ud83d\\udea2\",{}],\"b\":[]}";
    assertThat(JsonText.of(JsonTrees.parse(json))).isEqualTo(json);
  }

  @Test
  void valuesRememberTheirPlace() throws MalformedException {
    Tree.Mapping root = (Tree.Mapping) yaml("# comment\na:\n  b: c\n").getFirst();
    Tree b = root.mapping("a").orElseThrow().get("b").orElseThrow();
    assertThat(List.of(b.line(), b.column())).containsExactly(3, 6);
  }

  @Test
  void itemsOfAListAreToldOneByOneAndBeforeTheirList() throws MalformedException {
    List<Tree> found = yaml("items: [{a: 1}, {a: 2}]\nkind: List\n");
    assertThat(found).hasSize(3);
    assertThat(JsonText.of(found.get(2))).isEqualTo("{\"items\":[],\"kind\":\"List\"}");
  }

  @Test
  void readerLeavesOutWhatAShapeDoesNotUse() throws IOException {
    Shape shape =
        Shape.object()
            .use("a", Shape.object().use("x"))
            .use("list", Shape.listOf(Shape.object().use("y")));
    String json =
        "{\"b\":[{\"a\":1}],\"a\":{\"x\":{\"any\":1},\"z\":2},\"list\":[{\"y\":1,\"z\":2}]}";
    try (JsonParser parser = JsonTrees.factory().createParser(json)) {
      parser.nextToken();
      assertThat(JsonText.of(JsonTrees.value(parser, shape)))
          .isEqualTo("{\"a\":{\"x\":{\"any\":1}},\"list\":[{\"y\":1}]}");
    }
  }

  @Test
  void shapeTellsEveryFieldThatIsNotUsed() throws MalformedException {
    Shape shape =
        Shape.object()
            .use("list", Shape.listOf(Shape.object().use("y").pass("quiet")))
            .tell("known", "because");
    List<String> told = new ArrayList<>();
    shape.check(
        yaml("known: 1\nother: 2\nlist: [{y: 1, quiet: 1, z: 1}]").getFirst(),
        (path, value, why) -> told.add(path + "=" + JsonText.of(value) + " " + why));
    assertThat(told).containsExactly("known=1 because", "other=2 ", "list[].z=1 ");
  }

  @Test
  void secondValueIsNoJsonDocument() {
    assertThatThrownBy(() -> JsonTrees.parse("1 2")).isInstanceOf(MalformedException.class);
    assertThatThrownBy(() -> JsonTrees.parse("")).isInstanceOf(MalformedException.class);
  }
}
