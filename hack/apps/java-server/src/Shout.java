import java.util.function.UnaryOperator;

public class Shout implements UnaryOperator<String> {
    public String apply(String s) {
        return s.toUpperCase() + "!";
    }
}
