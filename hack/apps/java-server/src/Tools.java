import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.Charset;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.Security;
import java.security.Signature;
import java.text.Collator;
import java.text.NumberFormat;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.format.FormatStyle;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.ResourceBundle;
import java.util.ServiceLoader;
import java.util.TimeZone;
import java.util.function.UnaryOperator;
import java.util.logging.LogManager;
import javax.crypto.Cipher;
import javax.crypto.KeyGenerator;
import javax.imageio.ImageIO;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import javax.xml.parsers.DocumentBuilderFactory;

public class Tools {
    public static String zone(Map<String, String> p) {
        return DateTimeFormatter.ISO_ZONED_DATE_TIME.format(Instant.EPOCH.atZone(ZoneId.of(p.get("name"))));
    }

    public static String date(Map<String, String> p) {
        return DateTimeFormatter.ofLocalizedDate(FormatStyle.FULL).withLocale(Locale.forLanguageTag(p.get("locale")))
            .format(Instant.EPOCH.atZone(ZoneId.of("UTC")));
    }

    public static String money(Map<String, String> p) {
        return NumberFormat.getCurrencyInstance(Locale.forLanguageTag(p.get("locale"))).format(1234.5);
    }

    public static String encode(Map<String, String> p) throws Exception {
        return HexFormat.of().formatHex("日本".getBytes(Charset.forName(p.get("charset"))));
    }

    public static String sort(Map<String, String> p) {
        String[] words = {"Zebra", "Äpfel", "Birne"};
        Arrays.sort(words, Collator.getInstance(Locale.GERMAN));
        return String.join(" ", words);
    }

    public static String message(Map<String, String> p) {
        return ResourceBundle.getBundle("messages", Locale.forLanguageTag(p.get("locale"))).getString("greeting");
    }

    @SuppressWarnings("rawtypes")
    public static String plugin(Map<String, String> p) {
        @SuppressWarnings("unchecked")
        UnaryOperator<String> shout = ServiceLoader.load(UnaryOperator.class).findFirst().orElseThrow();
        return shout.apply(p.get("text"));
    }

    public static String digest(Map<String, String> p) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance(p.get("algorithm")).digest("x".getBytes()));
    }

    public static String sign(Map<String, String> p) throws Exception {
        var pair = KeyPairGenerator.getInstance(p.get("algorithm")).generateKeyPair();
        var signature = Signature.getInstance(p.get("signature"));
        signature.initSign(pair.getPrivate(), new SecureRandom());
        signature.update("x".getBytes());
        return "signed " + (signature.sign().length > 0);
    }

    public static String cipher(Map<String, String> p) throws Exception {
        var cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, KeyGenerator.getInstance("AES").generateKey());
        return cipher.doFinal(new byte[16]).length + " bytes";
    }

    public static String trust(Map<String, String> p) throws Exception {
        var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init((KeyStore) null);
        int anchors = ((X509TrustManager) factory.getTrustManagers()[0]).getAcceptedIssuers().length;
        return (anchors > 50 ? "trusts many" : "trusts " + anchors) + " " + SSLContext.getDefault().getProtocol();
    }

    public static String providers(Map<String, String> p) {
        return Arrays.toString(Security.getProviders());
    }

    public static String zip(Map<String, String> p) throws Exception {
        Path file = Files.createTempDirectory("zip").resolve("a.zip");
        try (var zip = FileSystems.newFileSystem(URI.create("jar:" + file.toUri()), Map.of("create", "true"))) {
            Files.writeString(zip.getPath("/a.txt"), "hello");
        }
        return Files.size(file) > 0 ? "zipped" : "empty";
    }

    public static String image(Map<String, String> p) throws Exception {
        var out = new ByteArrayOutputStream();
        var image = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
        image.createGraphics().fillRect(0, 0, 4, 4);
        return p.get("format") + " " + ImageIO.write(image, p.get("format"), out) + " " + (out.size() > 0);
    }

    public static String xml(Map<String, String> p) throws Exception {
        var document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new java.io.ByteArrayInputStream("<a><b/></a>".getBytes()));
        return document.getDocumentElement().getFirstChild().getNodeName();
    }

    public static String fetch(Map<String, String> p) throws Exception {
        var request = HttpRequest.newBuilder(URI.create("http://localhost:8080/hello")).build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    public static String exec(Map<String, String> p) throws Exception {
        return new String(new ProcessBuilder(p.get("program")).start().getInputStream().readAllBytes());
    }

    public static String beans(Map<String, String> p) {
        return java.lang.management.ManagementFactory.getRuntimeMXBean().getVmName();
    }

    public static String logging(Map<String, String> p) throws Exception {
        LogManager.getLogManager().readConfiguration();
        return "handlers " + LogManager.getLogManager().getProperty("handlers");
    }

    public static String defaults(Map<String, String> p) {
        return TimeZone.getDefault().getID() + " " + Locale.getDefault() + " " + Charset.defaultCharset() + " " + System.getProperty("user.name");
    }

    public static String pow(Map<String, String> p) {
        return BigInteger.TWO.pow(Integer.parseInt(p.get("n"))).toString();
    }

    public static String name(Map<String, String> p) throws Exception {
        return java.net.InetAddress.getByName(p.get("host")).getHostAddress();
    }
}
