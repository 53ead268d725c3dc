require "sinatra/base"
require_relative "lib/store"
require_relative "lib/shell"

class Notes < Sinatra::Base
  autoload :Export, File.expand_path("lib/export", __dir__)
  set :root, __dir__
  enable :sessions
  set :session_secret, "0" * 64
  set :store, Store.new

  helpers do
    def h(text) = Rack::Utils.escape_html(text)
  end

  get("/") { erb :index }
  get("/notes/:id") { |id| @note = settings.store[id.to_i] or halt 404, "no such note"; erb :note }
  post("/notes") { settings.store.add(params[:text] || JSON.parse(request.body.read)["text"]); redirect "/" }
  post("/upload") { params[:file][:tempfile].read.size.to_s + " bytes " + params[:file][:type].to_s }
  get("/export.:format") { |format| content_type format; Export.public_send(format, settings.store.to_a) }
  get("/count") { session[:count] = session[:count].to_i + 1; "visit #{session[:count]}" }
  get("/encode/:name") { |name| "日本".encode(name).unpack1("H*") }
  get("/time") { ENV["TZ"] = params[:zone]; Time.at(0).strftime("%F %T %Z") }
  get("/digest") { require "openssl"; OpenSSL::Digest.hexdigest("SHA256", "x") }
  get("/cert") { require "openssl"; key = OpenSSL::PKey::EC.generate("prime256v1"); key.dsa_verify_asn1("x" * 32, key.dsa_sign_asn1("x" * 32)).to_s }
  get("/fetch") { require "net/http"; Net::HTTP.get(URI("http://127.0.0.1:9292/digest")) }
  get("/big") { require "bigdecimal"; (BigDecimal("1") / 3).round(30).to_s("F") }
  get("/random") { require "securerandom"; SecureRandom.uuid }
  get("/template") { require "erb"; ERB.new("<%= 6 * 7 %>").result }
  get("/gzip") { require "zlib"; Zlib.gunzip(Zlib.gzip("compressed")) }
  get("/pipe") { require "open3"; Open3.capture2("cat", stdin_data: "piped").first }
  get("/sorted") { Shell.run("sort", "-r", File.join(settings.root, "public/style.css")) }
  get("/boom") { raise "broken on purpose" }
  error { "sorry: #{env["sinatra.error"].message}" }
end
